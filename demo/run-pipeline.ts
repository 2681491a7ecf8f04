import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Narrator } from './narrate.ts'

const ROOT = join(import.meta.dirname, '..')
const MILLRACE = join(ROOT, 'packages', 'millrace', 'bin', 'millrace.js')

export interface PipelineResult {
  read: number
  written: number
  /** Read, over the whole run, start-up included. */
  recordsPerSecond: number
}

interface Envelope {
  result: { read: { records: number }; written: { records: number }; readPerSecond: number }
}

/**
 * Runs a pipeline file to its end by the command line, as a user does.
 *
 * @throws {Error} when it fails; the text is what it said
 */
export async function runPipeline(
  file: string,
  env: Readonly<Record<string, string>>,
  narrator: Narrator,
): Promise<PipelineResult> {
  // Its live line is shown on a terminal; its log lines are kept for the case that it fails.
  if (narrator.live) process.stderr.write('\n')
  const child = spawn(process.execPath, [MILLRACE, 'run', join(ROOT, file), '--until-end', '--json'], {
    stdio: ['ignore', 'pipe', narrator.live ? 'inherit' : 'pipe'],
    env: { ...process.env, ...env },
  })
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  const said = Buffer.concat(stdout).toString()
  if (code !== 0)
    throw new Error(`Pipeline "${file}" ended with code ${code}\n${said}${Buffer.concat(stderr).toString()}`)
  if (narrator.live) process.stderr.write('\r\x1b[2K\x1b[1A')
  const { result } = JSON.parse(said) as Envelope
  return { read: result.read.records, written: result.written.records, recordsPerSecond: result.readPerSecond }
}
