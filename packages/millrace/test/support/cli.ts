/** The command line, run from its source in a process of its own. */
import { spawn, type ChildProcess } from 'node:child_process'
import { constants } from 'node:os'
import { join } from 'node:path'

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts')

export interface CliResult {
  /** As a shell shows it: 128 and its number for one that a signal ended. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface CliOptions {
  readonly environment?: { readonly [name: string]: string }
  readonly nodeOptions?: readonly string[]
  /** Script to run instead. */
  readonly main?: string
  /** Working directory. */
  readonly directory?: string
  /** Text on standard input; none when omitted. */
  readonly stdin?: string
  /** File descriptor to write errors to, instead of reading them. */
  readonly stderr?: number
}

/** Runs a command to its end. */
export function cli(args: readonly string[], options?: CliOptions): Promise<CliResult> {
  return startCli(args, options).ended
}

export interface RunningCli {
  readonly child: ChildProcess
  readonly ended: Promise<CliResult>
  /** Resolves as soon as standard error contains some text; rejects when the command ends without it. */
  stderrHas(text: string): Promise<void>
  /** What is there so far. */
  stderrText(): string
}

export function startCli(
  args: readonly string[],
  { environment = {}, nodeOptions = [], main = MAIN, directory, stdin, stderr: errors }: CliOptions = {},
): RunningCli {
  const child = spawn(process.execPath, [...nodeOptions, main, ...args], {
    env: { ...process.env, NO_COLOR: '1', ...environment },
    stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', errors ?? 'pipe'],
    ...(directory === undefined ? {} : { cwd: directory }),
  })
  child.stdin?.end(stdin)
  let stdout = ''
  let stderr = ''
  const waiting: (() => void)[] = []
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    for (const check of waiting) check()
  })
  const ended = new Promise<CliResult>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code: code ?? 128 + constants.signals[signal!], stdout, stderr }))
  })
  return {
    child,
    stderrText: () => stderr,
    ended,
    stderrHas: (text) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          if (stderr.includes(text)) resolve()
        }
        waiting.push(check)
        check()
        void ended.then(() => reject(new Error(`The command ended without "${text}" on standard error:\n${stderr}`)))
      }),
  }
}
