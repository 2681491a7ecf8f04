/**
 * Runs the pipelines of one file together, in one process. When one fails, the others are stopped gracefully, and the run
 * fails. A run up to the end takes them one after the other where one reads what another writes.
 */
import type { PipelineGroup, PipelinePlan, RunOptions, RunProgress, RunResult, CountsByCode } from './plan.ts'
import { totalLag } from './watching/observed.ts'
import { runPipeline } from './run-pipeline.ts'

/** @throws {MillraceError} the first failure, when the others have ended too */
export async function runGroup({ pipelines }: PipelineGroup, run: RunOptions): Promise<RunResult> {
  const failed = new AbortController()
  const signal = AbortSignal.any([run.signal, failed.signal])
  const latest = new Map<string, RunProgress>()
  const ends = new Map<string, Promise<RunResult>>()
  let failure: { readonly error: unknown } | undefined

  const start = async (plan: PipelinePlan): Promise<RunResult> => {
    if (run.untilEnd) for (const name of plan.after ?? []) await ends.get(name)
    return runPipeline(plan, {
      ...run,
      signal,
      onProgress: (progress) => {
        latest.set(plan.name, progress)
        // The first one keeps the time for all.
        if (plan === pipelines[0]) run.onProgress?.(combined([...latest.values()]))
      },
    })
  }
  for (const plan of inOrder(pipelines)) {
    const end = start(plan).catch((error: unknown) => {
      failure ??= { error }
      failed.abort()
      throw error
    })
    ends.set(plan.name, end)
  }
  await Promise.allSettled(ends.values())
  if (failure !== undefined) throw failure.error
  const results = await Promise.all(pipelines.map(async ({ name }) => ({ name, ...(await ends.get(name)!) })))
  const ended = results.some((result) => result.ended === 'signal')
    ? 'signal'
    : results.every((result) => result.ended === 'stage')
      ? 'stage'
      : 'source'
  const result = { ...combined(results), ended, pipelines: results } as const
  run.onProgress?.(result)
  return result
}

/** Those that others wait for come first; where they wait for one another in a circle, as the file has them. */
function inOrder(pipelines: readonly PipelinePlan[]): PipelinePlan[] {
  const rest = [...pipelines]
  const ordered: PipelinePlan[] = []
  while (rest.length > 0) {
    const next = rest.findIndex(({ after = [] }) => !after.some((name) => rest.some((other) => other.name === name)))
    ordered.push(...rest.splice(Math.max(0, next), 1))
  }
  return ordered
}

function combined(all: readonly RunProgress[]): RunProgress {
  const sum = (value: (progress: RunProgress) => number): number =>
    all.reduce((total, progress) => total + value(progress), 0)
  return {
    elapsedMs: Math.max(0, ...all.map(({ elapsedMs }) => elapsedMs)),
    read: { records: sum(({ read }) => read.records), bytes: sum(({ read }) => read.bytes) },
    written: { records: sum(({ written }) => written.records), bytes: sum(({ written }) => written.bytes) },
    lag: totalLag(all.map(({ lag }) => lag)),
    problem: all.find(({ problem }) => problem !== undefined)?.problem,
    committed: all.some(({ committed }) => committed !== undefined)
      ? all.flatMap(({ committed }) => committed ?? [])
      : undefined,
    errors: {
      skipped: total(all.map(({ errors }) => errors.skipped)),
      deadLettered: total(all.map(({ errors }) => errors.deadLettered)),
      retried: total(all.map(({ errors }) => errors.retried)),
    },
    circuitBreaker: undefined,
  }
}

function total(counts: readonly CountsByCode[]): CountsByCode {
  const sums: { [code: string]: number } = {}
  for (const count of counts) for (const [code, value] of Object.entries(count)) sums[code] = (sums[code] ?? 0) + value
  return sums
}
