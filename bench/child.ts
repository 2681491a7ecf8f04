/** Child processes whose time, CPU seconds and resident size count. */

import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { cpuOfEndedChildren, peakResidentBytes, type Sample } from './measure.ts'

export interface Ended {
  stdout: string
  cpuSeconds: number | undefined
  residentMegabytes: number
}

const living = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of living) child.kill('SIGKILL')
})

/** Kills a process when this one ends before it. */
export function endWithUs(child: ChildProcess): void {
  living.add(child)
  child.once('close', () => living.delete(child))
}

const ROOT = join(import.meta.dirname, '..')

/** The checkout whose Millrace and runners are run. */
let checkout = ROOT

/** Runs something on the Millrace of another checkout, which must be built. One at a time, as everything here. */
export async function inCheckout<T>(folder: string, run: () => Promise<T>): Promise<T> {
  checkout = folder
  try {
    return await run()
  } finally {
    checkout = ROOT
  }
}

/** The command as users have it. */
export function millrace(): string {
  return join(checkout, 'packages', 'millrace', 'bin', 'millrace.js')
}

/**
 * Runs a program of this folder's `runners/` on this Node, which prints `{ records, seconds }` as its last line.
 *
 * Each run has a process of its own: no contender inherits compiled code, a grown heap or open connections.
 */
export async function runNode(runner: string, options: object): Promise<Sample & Ended> {
  const file = join(checkout, 'bench', 'runners', `${runner}.ts`)
  const ended = await waitFor(
    spawn(process.execPath, [file, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'pipe'] }),
    runner,
  )
  return { ...ended, ...(lastLine(ended.stdout) as { records: number; seconds: number }) }
}

/** Runs the command line. */
export async function runMillrace(args: readonly string[]): Promise<Ended> {
  return waitFor(spawn(process.execPath, [millrace(), ...args], { stdio: ['ignore', 'pipe', 'pipe'] }), 'millrace')
}

/**
 * Waits until a process has ended well.
 *
 * @throws {Error} when it ends with another code than 0; the text holds the end of what it printed
 */
export async function waitFor(child: ChildProcess, name: string): Promise<Ended> {
  const cpuBefore = cpuOfEndedChildren()
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk))
  child.stdin?.end()
  let peak = 0
  const sampler = setInterval(() => (peak = Math.max(peak, peakResidentBytes(child.pid ?? 0))), 100)
  endWithUs(child)
  const code = await new Promise<number | string | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (exitCode, signal) => resolve(exitCode ?? signal))
  }).finally(() => clearInterval(sampler))
  const text = Buffer.concat(stdout).toString()
  if (code !== 0)
    throw new Error(`${name} ended with ${code}\n${tail(text)}\n${tail(Buffer.concat(stderr).toString())}`)
  return { stdout: text, cpuSeconds: cpuSince(cpuBefore), residentMegabytes: Math.round(peak / 1e6) }
}

/** CPU seconds of the children that ended since an earlier call of `cpuOfEndedChildren`. */
export function cpuSince(before: number | undefined): number | undefined {
  const after = cpuOfEndedChildren()
  return before === undefined || after === undefined ? undefined : after - before
}

/** The JSON object that a program prints last. */
export function lastLine(text: string): unknown {
  return JSON.parse(text.trimEnd().split('\n').at(-1) ?? '')
}

function tail(text: string): string {
  return text.trimEnd().split('\n').slice(-15).join('\n')
}
