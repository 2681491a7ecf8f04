/**
 * Runs given documents through a graph of stages: the run itself, with sources that give them and sinks that keep what they
 * are given.
 */
import { catalog } from '../../catalog.ts'
import { codecByName } from '../../codecs/index.ts'
import { decodeRows } from '../../functions/rows/kafka-rows.ts'
import type { FunctionContext } from '../../contracts/functions.ts'
import type { Source } from '../../contracts/source.ts'
import type { GraphPlan } from '../../engine/graph/plan.ts'
import { runGraph } from '../../engine/graph/run-graph.ts'
import type { Components } from '../../engine/plan.ts'
import { ConfigError } from '../../errors/index.ts'
import { asData, batchesOf, nameOf } from './given-batches.ts'
import { withoutSinks } from '../preview/preview-graph.ts'
import { recordLine } from '../preview/record-line.ts'
import { named } from '../preview/source-plan.ts'
import { isByStage, type Documents } from './test-cases.ts'

/** @returns as `expected`: by stage, those stages only, or a list where there is one sink */
export async function runGraphCase(
  plan: GraphPlan,
  given: Documents,
  expected: Documents | undefined,
): Promise<Documents> {
  const sinks = idsOf(plan, 'sink')
  const givenByStage = byStage(given, 'given', 'source', idsOf(plan, 'source'))
  // Where an error is expected, there may be any number of sinks.
  const expectedByStage = expected === undefined ? {} : byStage(expected, 'expect', 'sink', sinks)
  const found = new Map<string, unknown[]>(sinks.map((id) => [id, []]))
  const components = withoutSinks(withGiven(catalog, givenByStage), (batch, codec, stage) => {
    const list = found.get(stage)
    for (let row = 0; list !== undefined && row < batch.length; row++)
      list.push(asData(recordLine(batch, row, codec), expectedByStage[stage]?.[list.length]))
  })
  const never = new AbortController().signal
  await runGraph(plan, {
    components,
    signal: never,
    abort: never,
    untilEnd: true,
    preview: { from: 'run' },
    warn: () => {},
  })
  if (expected === undefined || isByStage(expected))
    return Object.fromEntries([...found].filter(([id]) => expected === undefined || id in expectedByStage))
  return found.get(sinks[0]!) ?? []
}

function idsOf(plan: GraphPlan, kind: 'source' | 'sink'): string[] {
  return plan.nodes.filter((node) => node.kind === kind).map(({ id }) => id)
}

/** @throws {ConfigError} when it does not fit to the stages that there are */
function byStage(
  documents: Documents,
  key: 'given' | 'expect',
  kind: 'source' | 'sink',
  ids: readonly string[],
): { readonly [stage: string]: readonly unknown[] } {
  if (isByStage(documents)) {
    for (const id of Object.keys(documents)) named(kind, id, ids)
    return documents
  }
  if (ids.length === 1) return { [ids[0]!]: documents }
  throw new ConfigError(
    `Cannot decide which ${kind} "${key}" is for as there are ${ids.length} (${ids.join(', ')}): write ${key}: {${ids[0]}: [...]}`,
  )
}

/** Components whose sources give documents of their stage, decoded as those of Kafka. */
function withGiven(components: Components, given: { readonly [stage: string]: readonly unknown[] }): Components {
  return {
    ...components,
    async function(kind, name) {
      const definition = await components.function(kind, name)
      if (definition.kind !== 'source') return definition
      return {
        ...definition,
        async create(options, context) {
          const source = await definition.create(options, context)
          const topic = nameOf({ topic: context.stage, ...options })
          return givenSource(source, given[context.stage] ?? [], topic, context, definition.knowsOrigin === true)
        },
      }
    },
  }
}

function givenSource(
  source: Source,
  documents: readonly unknown[],
  topic: string,
  { needsDocuments, needsOrigin }: FunctionContext,
  knowsOrigin: boolean,
): Source {
  return {
    valueCodec: 'json',
    readsRecordBatches: false,
    commits: 'nothing',
    open: async () => {},
    async *batches() {
      for (const batch of batchesOf(documents, topic, codecByName('json'))) {
        if (needsDocuments || !knowsOrigin) decodeRows(batch, knowsOrigin && needsOrigin)
        yield batch
      }
    },
    progress: () => ({ records: documents.length, bytes: 0, lag: undefined }),
    close: () => source.close(),
  }
}
