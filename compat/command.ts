/** Runs programs of a suite: with a time limit, with all output in a file, and ended when the run is stopped. */
import { spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'

export interface CommandOptions {
  readonly cwd?: string
  /** Beside those of this process. */
  readonly env?: NodeJS.ProcessEnv
  /** Written to standard input, which is then closed. */
  readonly stdin?: string
  /** The process and its children are killed after this time. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
  /** A file that receives both outputs as they come. */
  readonly log?: string
  /** Called with each line of either output. */
  readonly onLine?: (line: string) => void
}

export interface CommandResult {
  /** `undefined` when it was killed, for instance because its time was over. */
  readonly code: number | undefined
  readonly isLate: boolean
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs a program to its end, whatever its exit code is.
 *
 * @throws {Error} it cannot be started, or the run was stopped
 */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  options.signal.throwIfAborted()
  // A group of its own, so that what it starts ends with it.
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    detached: true,
    stdio: 'pipe',
  })
  const kill = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    } catch {
      // It has ended.
    }
  }
  const log = options.log === undefined ? undefined : createWriteStream(options.log, { flags: 'a' })
  const stdout = collect(child.stdout, log, options.onLine)
  const stderr = collect(child.stderr, log, options.onLine)
  child.stdin.on('error', () => {})
  child.stdin.end(options.stdin ?? '')
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    kill()
  }, options.timeoutMs)
  options.signal.addEventListener('abort', kill)
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', (cause) => reject(new Error(`Cannot run "${command}": ${cause.message}`, { cause })))
      child.once('close', resolve)
    })
    options.signal.throwIfAborted()
    return { code: code ?? undefined, isLate, stdout: stdout(), stderr: stderr() }
  } finally {
    clearTimeout(timer)
    options.signal.removeEventListener('abort', kill)
    log?.end()
    if (log !== undefined) await finished(log)
  }
}

/**
 * Runs a program that must succeed.
 *
 * @throws {Error} also when it ends with another code than 0; the text holds the end of what it printed
 */
export async function mustRun(
  command: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  const result = await runCommand(command, args, options)
  if (result.code !== 0) throw new Error(describeFailure([command, ...args].join(' '), result, options.timeoutMs))
  return result
}

/** How a program ended, and the end of what it printed. */
export function describeFailure(what: string, result: CommandResult, timeoutMs: number): string {
  const end = result.isLate ? `took longer than ${timeoutMs} ms` : `ended with code ${result.code ?? 'none'}`
  return [`${what} ${end}`, tail(result.stdout), tail(result.stderr)].filter((text) => text !== '').join('\n')
}

/** Whether a program is on the path and starts. */
export async function canRun(command: string, args: readonly string[]): Promise<boolean> {
  return runCommand(command, args, { timeoutMs: 30_000, signal: new AbortController().signal }).then(
    ({ code }) => code === 0,
    () => false,
  )
}

function tail(text: string): string {
  return text.trimEnd().split('\n').slice(-20).join('\n')
}

/** @returns a function that returns what has come so far */
function collect(
  stream: NodeJS.ReadableStream,
  log: NodeJS.WritableStream | undefined,
  onLine: ((line: string) => void) | undefined,
): () => string {
  const chunks: Buffer[] = []
  let open = ''
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    log?.write(chunk)
    if (onLine === undefined) return
    const lines = (open + chunk.toString()).split('\n')
    open = lines.pop()!
    for (const line of lines) onLine(line)
  })
  stream.on('end', () => {
    if (open !== '') onLine?.(open)
  })
  return () => Buffer.concat(chunks).toString()
}
