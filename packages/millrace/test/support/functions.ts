/** Transforms of stage graphs, run over rows by hand. */
import type { FunctionContext, TransformFunction } from '../../src/contracts/functions.ts'
import type { Batch } from '../../src/records/batch.ts'
import { findFunctions } from '../../src/functions/index.ts'
import { parseOptions } from '../../src/options/parse.ts'
import { batchOfDocuments } from './batches.ts'
import { UNSEEN_METER } from '../../src/metrics/counters.ts'

export const CONTEXT: FunctionContext = {
  pipeline: 'test',
  directory: '.',
  folders: ['.'],
  untilEnd: true,
  warn: () => {},
  metrics: UNSEEN_METER,
  stage: 'tested',
  needsDocuments: true,
  needsOrigin: true,
  hasOrigin: false,
  formats: new Set(['json']),
  sources: () => [],
  collectsFailures: false,
  made: new Set(),
  isWindowed: false,
  run: async () => true,
}

export interface Transformed {
  readonly rows: readonly unknown[]
  /** Rows by batch that came out. */
  readonly batches: readonly (readonly unknown[])[]
  /** For each batch that went in, whether it was acknowledged before anything that came out was, and after. */
  readonly acknowledged: readonly { readonly before: boolean; readonly after: boolean }[]
  /** Texts of the failures of rows. */
  readonly failures: readonly string[]
}

export function optionsOf(
  name: string,
  options: unknown,
): { readonly options: { readonly [name: string]: unknown }; readonly problems: string[] } {
  const parsed = parseOptions(definitionOf(name), options)
  return { options: parsed.options, problems: parsed.problems.map(({ message }) => message) }
}

export function definitionOf(name: string): TransformFunction {
  return findFunctions(name).find(({ kind }) => kind === 'transform') as TransformFunction
}

/** Runs a transform over rows that come in batches, and acknowledges what comes out. */
export async function transform(
  name: string,
  options: unknown,
  batches: readonly (readonly unknown[])[],
  context: Partial<FunctionContext> = {},
  collectsFailures = false,
): Promise<Transformed> {
  const { options: read, problems } = optionsOf(name, options)
  if (problems.length > 0) throw new Error(problems.join('; '))
  const stage = await definitionOf(name).create(read, { ...CONTEXT, ...context })
  const signal = new AbortController().signal
  const states = batches.map(() => ({ before: false, after: false }))
  let phase: 'before' | 'after' = 'before'
  const failures: string[] = []
  const out: Batch[] = []
  for (const [i, rows] of batches.entries()) {
    const made = batchOfDocuments(rows)
    made.documents = structuredClone([...rows])
    const batch = made.derive({ documents: made.documents }, { ack: () => void (states[i]![phase] = true) })
    out.push(
      ...(await stage.process(
        batch,
        signal,
        collectsFailures ? (_, error) => failures.push(error.message) : undefined,
      )),
    )
  }
  out.push(...((await stage.finish?.(signal)) ?? []))
  phase = 'after'
  const given = out.map((batch) => [...batch.documents!])
  for (const batch of out.toReversed()) batch.ack()
  return { rows: given.flat(), batches: given, acknowledged: states, failures }
}
