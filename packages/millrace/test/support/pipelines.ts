/** Pipelines for integration tests: written to a file, then run in this process or by the command line in one of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { catalog } from '../../src/catalog.ts'
import { readPlan } from '../../src/dialects/index.ts'
import type { RunOptions, RunResult } from '../../src/engine/plan.ts'
import { runPipeline } from '../../src/engine/run-pipeline.ts'
import type { Counters } from '../../src/metrics/counters.ts'
import { bootstrapServers, uniqueName } from './broker.ts'

export interface PipelineSpec {
  readonly source: { readonly [name: string]: unknown }
  readonly stages?: readonly unknown[]
  readonly sink: { readonly [name: string]: unknown }
  /** Other keys of the top level, for instance `delivery`. */
  readonly [key: string]: unknown
}

/** A kafka source that begins at the beginning, as a group of its own. */
export function fromTopic(
  topic: string,
  options: { readonly [name: string]: unknown } = {},
): { readonly [name: string]: unknown } {
  return {
    type: 'kafka',
    options: {
      topic,
      bootstrapServers: bootstrapServers(),
      groupId: uniqueName('group'),
      'auto.offset.reset': 'earliest',
      ...options,
    },
  }
}

export function toTopic(
  topic: string,
  options: { readonly [name: string]: unknown } = {},
): { readonly [name: string]: unknown } {
  return { type: 'kafka', options: { topic, bootstrapServers: bootstrapServers(), acks: 'all', ...options } }
}

/** Writes a pipeline file. @returns its path */
export async function pipelineFile({ source, stages = [], sink, ...more }: PipelineSpec): Promise<string> {
  const file = join(await mkdtemp(join(tmpdir(), 'millrace-')), 'pipeline.json')
  await writeFile(file, JSON.stringify({ name: 'test', source, stages, sink, ...more }))
  return file
}

/** Runs a pipeline in this process, until the end of its source unless told otherwise. */
export async function runHere(
  spec: PipelineSpec,
  options: {
    readonly untilEnd?: boolean
    readonly signal?: AbortSignal
    readonly warn?: (message: string) => void
    readonly metrics?: Counters
    readonly onProgress?: RunOptions['onProgress']
    readonly onPipeline?: RunOptions['onPipeline']
  } = {},
): Promise<RunResult> {
  const never = new AbortController().signal
  return runPipeline(await readPlan(await pipelineFile(spec)), {
    components: catalog,
    signal: options.signal ?? never,
    abort: never,
    untilEnd: options.untilEnd ?? true,
    warn: options.warn ?? (() => {}),
    metrics: options.metrics,
    onProgress: options.onProgress,
    onPipeline: options.onPipeline,
  })
}

export const MAIN = fileURLToPath(new URL('../../bin/millrace.js', import.meta.url))

export interface CommandResult {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** Starts the built command line. */
export function startCommand(args: readonly string[]): {
  readonly child: ChildProcess
  readonly done: Promise<CommandResult>
} {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const done = new Promise<CommandResult>((resolve) =>
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr })),
  )
  return { child, done }
}
