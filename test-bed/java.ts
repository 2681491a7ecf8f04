/**
 * Java for the test bed: finds it, fetches Kafka's jars from Maven Central once, runs Kafka's own tools.
 *
 * Nothing here knows about brokers; see `kafka.ts` for those.
 */

import { type ChildProcess, execFile, spawn, type StdioOptions } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'

const POM = join(import.meta.dirname, 'pom.xml')
const OLDEST_JAVA = 17

/** The folder that keeps jars and the state of running clusters: `MILLRACE_CACHE`, or `millrace` in the user's cache folder. */
export function cacheFolder(): string {
  return process.env['MILLRACE_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'millrace')
}

/** Which jars: `broker` has the broker and its tools, `connect` has MirrorMaker 2 as well, `streams` Kafka Streams. */
export type JarSet = 'broker' | 'connect' | 'streams'

export interface JavaOptions {
  /** Options of the virtual machine; `-Xmx512m` unless they set a heap. */
  jvmArgs?: readonly string[]
  /** Jars on the class path; `broker` when omitted. */
  jars?: JarSet
  /** Folders or jars beside them. */
  classPath?: readonly string[]
  env?: NodeJS.ProcessEnv
}

export interface JavaToolOptions extends JavaOptions {
  /** Written to the standard input, which is then closed. */
  stdin?: string | Uint8Array
  /** The tool is killed after this time and the call fails; 120 000 when omitted. */
  timeoutMs?: number
  /** Kills the tool when aborted; the call then fails. */
  signal?: AbortSignal
}

export interface JavaToolResult {
  stdout: string
  stderr: string
}

/** Says why brokers cannot be started on this machine; `undefined` when they can. */
export async function whyNoJava(): Promise<string | undefined> {
  const java = await javaVersion().catch(() => undefined)
  if (java === undefined) return `Java ${OLDEST_JAVA} or newer is not installed`
  const version = /version "(?:1\.)?(\d+)/.exec(java)?.[1]
  if (Number(version) < OLDEST_JAVA) return `Java ${version} is too old: Kafka needs ${OLDEST_JAVA} or newer`
  if (existsSync(jarFolder('broker'))) return undefined
  const maven = await run('mvn', ['--version']).catch(() => undefined)
  return maven === undefined ? 'Maven, which fetches Kafka, is not installed' : undefined
}

/**
 * Fetches the jars when they are missing.
 *
 * @returns the folder that holds them
 */
export async function fetchJars(set: JarSet = 'broker'): Promise<string> {
  const folder = jarFolder(set)
  if (existsSync(folder)) return folder
  mkdirSync(cacheFolder(), { recursive: true })
  const unfinished = `${folder}.${process.pid}.unfinished`
  try {
    const profile = set === 'broker' ? [] : ['-P', set]
    const copy = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${unfinished}`]
    await run('mvn', ['-B', '-q', '-f', POM, ...profile, ...copy])
    // Another process may have fetched the same jars meanwhile; either copy will do.
    if (!existsSync(folder)) renameSync(unfinished, folder)
  } catch (error) {
    if (!existsSync(folder)) throw new Error('Cannot fetch Kafka from Maven Central', { cause: error })
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
  return folder
}

/** Starts a class of the jars and returns the process, which the caller ends. */
export async function spawnJava(
  className: string,
  args: readonly string[],
  options: JavaOptions & { stdio?: StdioOptions; detached?: boolean } = {},
): Promise<ChildProcess> {
  const folder = await fetchJars(options.jars)
  const jvmArgs = options.jvmArgs ?? []
  const heap = jvmArgs.some((arg) => arg.startsWith('-Xmx')) ? [] : ['-Xmx512m']
  const settings = ['-Djava.awt.headless=true', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn']
  const classPath = ['-cp', [join(folder, '*'), ...(options.classPath ?? [])].join(delimiter)]
  const archive = (options.jars ?? 'broker') === 'broker' ? await classArchive() : undefined
  // A virtual machine that cannot use the archive, for instance because it writes one, does without, and need not say so.
  const shared = archive !== undefined && existsSync(archive) ? [`-XX:SharedArchiveFile=${archive}`, NO_CDS_LOG] : []
  return spawn(javaBinary(), [...heap, ...settings, ...shared, ...jvmArgs, ...classPath, className, ...args], {
    stdio: options.stdio ?? 'pipe',
    detached: options.detached ?? false,
    env: { ...process.env, ...options.env },
  })
}

/**
 * Runs a class of the jars to its end, such as `org.apache.kafka.tools.ProducerPerformance`.
 *
 * @throws {Error} when it exits with another code than 0 or takes too long; the text holds what it printed
 */
export async function javaTool(
  className: string,
  args: readonly string[],
  options: JavaToolOptions = {},
): Promise<JavaToolResult> {
  const child = await spawnJava(className, args, options)
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk))
  // A tool that has seen enough may leave before it has read everything.
  child.stdin?.on('error', () => {})
  child.stdin?.end(options.stdin ?? '')
  const timeoutMs = options.timeoutMs ?? 120_000
  let late = false
  const timer = setTimeout(() => {
    late = true
    child.kill('SIGKILL')
  }, timeoutMs)
  const kill = (): void => void child.kill('SIGKILL')
  options.signal?.addEventListener('abort', kill)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  }).finally(() => {
    clearTimeout(timer)
    options.signal?.removeEventListener('abort', kill)
  })
  const result = { stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }
  if (late || code !== 0) {
    const end = late ? `took longer than ${timeoutMs} ms` : `ended with code ${code}`
    throw new Error(`${className} ${end}\n${tail(result.stdout)}\n${tail(result.stderr)}`)
  }
  return result
}

/**
 * Compiles one Java file against Kafka's jars.
 * @param folder where the classes go
 * @throws {Error} with what the compiler says
 */
export async function compileJava(
  file: string,
  folder: string,
  { jars: set = 'broker', classPath = [] }: Pick<JavaOptions, 'jars' | 'classPath'> = {},
): Promise<void> {
  const jars = await fetchJars(set)
  await run(javaBinary('javac'), ['-cp', [join(jars, '*'), ...classPath].join(delimiter), '-d', folder, file])
}

const NO_CDS_LOG = '-Xlog:cds*=off'

/**
 * Kafka's classes as this version of Java maps them into memory, which halves the processor time that a broker takes to
 * start; `recordClasses` of `kafka.ts` writes it.
 */
export async function classArchive(): Promise<string> {
  const hash = createHash('sha256')
    .update(await javaVersion())
    .digest('hex')
    .slice(0, 8)
  return `${jarFolder('broker')}-java-${hash}.jsa`
}

let version: Promise<string> | undefined

/** What `java -version` prints. */
async function javaVersion(): Promise<string> {
  version ??= run(javaBinary(), ['-version']).then(({ stderr }) => stderr)
  return version
}

/** The path of a program of Java. */
export function javaBinary(name = 'java'): string {
  const home = process.env['JAVA_HOME']
  return home === undefined || home === '' ? name : join(home, 'bin', name)
}

/** Named after the content of the pom, so that a changed pom fetches anew. */
export function jarFolder(set: JarSet): string {
  const pom = readFileSync(POM)
  const version = /<kafka\.version>(.*?)</.exec(pom.toString())?.[1] ?? ''
  const hash = createHash('sha256').update(pom).digest('hex').slice(0, 8)
  return join(cacheFolder(), `kafka-${version}-${set}-${hash}`)
}

function tail(text: string): string {
  return text.trimEnd().split('\n').slice(-20).join('\n')
}

async function run(command: string, args: readonly string[]): Promise<JavaToolResult> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { maxBuffer: 16 << 20 }, (error, stdout, stderr) => {
      if (error === null) resolve({ stdout, stderr })
      else reject(new Error(`${command} failed: ${error.message}\n${tail(stdout)}`, { cause: error }))
    })
  })
}
