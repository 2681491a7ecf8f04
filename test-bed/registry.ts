/**
 * Apicurio Registry on this machine, on a free loopback port: a schema registry that speaks Confluent's API.
 *
 * It comes from Maven Central and keeps everything in memory. It needs a newer Java than Kafka does, which may be installed beside
 * the one on the path.
 */

import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { cacheFolder } from './java.ts'
import { freePorts, waitUntil } from './probe.ts'

const run = promisify(execFile)

const VERSION = '3.3.3'
const ARTIFACT = `io.apicurio:apicurio-registry-app:${VERSION}:tar.gz:all`
const OLDEST_JAVA = 21
const START_TIMEOUT_MS = 120_000

export interface RegistryProcess {
  /** Address of its API that is compatible with Confluent's. */
  readonly url: string
  /** Address of its own API, which Apicurio's serializers use. */
  readonly apicurioUrl: string
  /** Kills it, as a failure would. */
  kill(): Promise<void>
  /** Starts it again at the same address, without what it held. */
  restart(): Promise<void>
  /** Kills it and removes its data. May be called twice. */
  stop(): Promise<void>
}

/** Says why the registry cannot be started here; `undefined` when it can. */
export async function whyNoRegistry(): Promise<string | undefined> {
  if (javaHome() === undefined) return `Java ${OLDEST_JAVA} or newer, which Apicurio Registry needs, is not installed`
  if (existsSync(appFolder())) return undefined
  return run('mvn', ['--version']).then(
    () => undefined,
    () => 'Maven, which fetches Apicurio Registry, is not installed',
  )
}

/**
 * Starts a registry that ends with this process, in whatever way that ends.
 * @throws {Error} when Java or Maven is missing, or it does not come up; the text holds the end of its log
 */
export async function startRegistry(): Promise<RegistryProcess> {
  const problem = await whyNoRegistry()
  if (problem !== undefined) throw new Error(`Cannot start Apicurio Registry: ${problem}`)
  const app = await fetchApp()
  const [port, managementPort] = (await freePorts(2)) as [number, number]
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-registry-')))
  const base = `http://127.0.0.1:${port}`
  let running: ChildProcess | undefined
  const kill = async (): Promise<void> => {
    const child = running
    running = undefined
    if (child === undefined || child.exitCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.stdin?.end()
    await ended
  }
  const start = async (): Promise<void> => {
    running = spawnApp(app, { port, managementPort, folder })
    const child = running
    const isUp = await waitUntil(async () => {
      if (child.exitCode !== null)
        throw new Error(`Apicurio Registry ended with code ${child.exitCode}\n${tail(folder)}`)
      return (await fetch(`${base}/apis/ccompat/v7/subjects`).catch(() => undefined))?.ok === true
    }, START_TIMEOUT_MS)
    if (!isUp) throw new Error(`Apicurio Registry did not come up within ${START_TIMEOUT_MS} ms\n${tail(folder)}`)
  }
  const stop = async (): Promise<void> => {
    await kill()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await start()
  } catch (error) {
    await stop()
    throw error
  }
  return {
    url: `${base}/apis/ccompat/v7`,
    apicurioUrl: `${base}/apis/registry/v3`,
    kill,
    stop,
    async restart() {
      await kill()
      await start()
    },
  }
}

/** The shell ends the registry when its input ends, because this process has ended, by SIGKILL for instance. */
const WARDEN = '"$@" >>log 2>&1 </dev/null & read -r line; kill -9 $!'

function spawnApp(
  app: string,
  { port, managementPort, folder }: { readonly port: number; readonly managementPort: number; readonly folder: string },
): ChildProcess {
  const settings = {
    'quarkus.http.port': port,
    'quarkus.http.host': '127.0.0.1',
    'quarkus.management.port': managementPort,
    'quarkus.management.host': '127.0.0.1',
    'quarkus.http.access-log.enabled': false,
  }
  const args = [
    '-Xmx384m',
    '-XX:TieredStopAtLevel=1',
    ...Object.entries(settings).map(([name, value]) => `-D${name}=${value}`),
  ]
  const command = [join(javaHome()!, 'bin', 'java'), ...args, '-jar', join(app, 'quarkus-run.jar')]
  return spawn('sh', ['-c', WARDEN, 'warden', ...command], {
    cwd: folder,
    // Ctrl-C goes to this process alone, which then ends the registry.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
}

/** Fetches and unpacks the application when it is missing. */
async function fetchApp(): Promise<string> {
  const folder = appFolder()
  if (existsSync(folder)) return folder
  mkdirSync(cacheFolder(), { recursive: true })
  const unfinished = `${folder}.${process.pid}.unfinished`
  try {
    await run('mvn', [
      '-B',
      '-q',
      'dependency:copy',
      `-Dartifact=${ARTIFACT}`,
      `-DoutputDirectory=${unfinished}/archive`,
    ])
    const [archive] = readdirSync(join(unfinished, 'archive'))
    mkdirSync(join(unfinished, 'app'))
    await run('tar', ['xzf', join(unfinished, 'archive', archive!), '-C', join(unfinished, 'app')])
    // Another process may have fetched the same meanwhile; either copy will do.
    if (!existsSync(folder)) renameSync(join(unfinished, 'app'), folder)
  } catch (error) {
    if (!existsSync(folder)) throw new Error('Cannot fetch Apicurio Registry from Maven Central', { cause: error })
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
  return folder
}

/**
 * Fetches the serializers and deserializers of Apicurio when they are missing.
 * @returns their jars, for a class path
 */
export async function fetchSerdes(): Promise<string> {
  const pom = join(import.meta.dirname, 'serdes-pom.xml')
  const hash = createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 8)
  const folder = join(cacheFolder(), `apicurio-serdes-${hash}`)
  if (existsSync(folder)) return join(folder, '*')
  mkdirSync(cacheFolder(), { recursive: true })
  const unfinished = `${folder}.${process.pid}.unfinished`
  try {
    const copy = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${unfinished}`]
    await run('mvn', ['-B', '-q', '-f', pom, ...copy])
    // Another process may have fetched the same meanwhile; either copy will do.
    if (!existsSync(folder)) renameSync(unfinished, folder)
  } catch (error) {
    if (!existsSync(folder))
      throw new Error('Cannot fetch the serializers of Apicurio from Maven Central', { cause: error })
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
  return join(folder, '*')
}

function appFolder(): string {
  return join(cacheFolder(), `apicurio-registry-${VERSION}`)
}

let home: string | undefined

/** The first Java that is new enough: of `JAVA_HOME`, of the path, and those that are installed beside it. */
function javaHome(): string | undefined {
  return (home ??= javaHomes().find((one) => versionOf(one) >= OLDEST_JAVA))
}

function javaHomes(): string[] {
  const named = process.env['JAVA_HOME'] ?? ''
  const onPath = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'java'))
  const ofPath = onPath.filter((file) => existsSync(file)).map((file) => dirname(dirname(realpathSync(file))))
  const beside = ofPath.flatMap((one) => readdirSync(dirname(one)).map((name) => join(dirname(one), name)))
  return [...(named === '' ? [] : [named]), ...ofPath, ...beside]
}

/** 0 for what is no Java. */
function versionOf(folder: string): number {
  try {
    return Number(/^JAVA_VERSION="(\d+)/m.exec(readFileSync(join(folder, 'release'), 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}

function tail(folder: string): string {
  return readFileSync(join(folder, 'log'), 'utf8').trimEnd().split('\n').slice(-20).join('\n')
}
