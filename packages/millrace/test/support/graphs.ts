/** Stage graphs for integration tests: written to a file, then run in this process or by the command line in one of its own. */
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { catalog } from '../../src/catalog.ts'
import { readAnyPlan } from '../../src/dialects/index.ts'
import type { GraphPlan } from '../../src/engine/graph/plan.ts'
import type { RunOptions, RunResult } from '../../src/engine/plan.ts'
import { runPlan } from '../../src/engine/run-plan.ts'
import { bootstrapServers, uniqueName } from './broker.ts'

export interface GraphStage {
  readonly id: string
  readonly function: string
  readonly inputs?: readonly string[]
  readonly config?: unknown
}

/** Writes a file of any format; JSON carries the shape as TOML does. @returns its path */
export async function graphFile(stages: readonly GraphStage[], more: object = {}): Promise<string> {
  const file = join(await mkdtemp(join(tmpdir(), 'millrace-graph-')), 'graph.json')
  await writeFile(file, JSON.stringify({ pipeline: { name: uniqueName('graph') }, stages, ...more }))
  return file
}

/** A consumer that reads on and on, as a group of its own. */
export function consume(topic: string, config: object = {}, id = 'consume'): GraphStage {
  const own = { brokers: bootstrapServers(), topic, group_id: uniqueName('group'), max_messages: 1_000_000 }
  return { id, function: 'kafka', config: { ...own, ...config } }
}

export function produce(topic: string, inputs: readonly string[], config: object = {}, id = 'produce'): GraphStage {
  return { id, function: 'kafka', inputs, config: { brokers: bootstrapServers(), topic, ...config } }
}

/** Runs a graph in this process, until the end of its sources unless told otherwise. Its files are beside it. */
export async function runGraphHere(file: string, options: Partial<RunOptions> = {}): Promise<RunResult> {
  const never = new AbortController().signal
  const plan = (await readAnyPlan(file)) as GraphPlan
  const here = { ...plan, directory: dirname(file), folders: [dirname(file)] }
  return runPlan(here, { components: catalog, signal: never, abort: never, untilEnd: true, warn: () => {}, ...options })
}
