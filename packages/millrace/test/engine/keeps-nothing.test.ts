import { describe, expect, test } from 'vitest'
import { codecByName, createDocuments } from '../../src/codecs/index.ts'
import { runGraph } from '../../src/engine/graph/run-graph.ts'
import { FAIL, type PipelinePlan } from '../../src/engine/plan.ts'
import { runPipeline } from '../../src/engine/run-pipeline.ts'
import { BatchError, DeliveryError } from '../../src/errors/index.ts'
import { Batch } from '../../src/records/batch.ts'
import { createStage } from '../../src/stages/index.ts'
import { batchOf, ORIGIN } from '../support/batches.ts'
import { memoryComponents, memoryGraph, memoryPlan, MemorySink, MemorySource } from '../support/memory-components.ts'

const NEVER = new AbortController().signal
const VALUES = ['{"a":1}', '{"a":2}', '{"a":3}']

/** Reads one batch, and says when its memory was given back. */
class WatchedSource extends MemorySource {
  readonly #log: string[]
  #isRead = false

  constructor(log: string[]) {
    super([], log)
    this.#log = log
  }

  override async *batches(): AsyncGenerator<Batch> {
    if (this.#isRead) return
    this.#isRead = true
    const made = batchOf(VALUES)
    const storage = {
      byteLength: made.byteLength,
      count: VALUES.length,
      firstOffset: 0,
      lastOffset: VALUES.length - 1,
      locate: () => made.records,
      release: () => void this.#log.push('release'),
      raw: undefined,
    }
    yield new Batch(ORIGIN, storage, { ack: () => void this.#log.push('ack') })
  }
}

class CopyingSink extends MemorySink {
  readonly copiesBatches: boolean
  readonly #log: string[]
  readonly #fails: boolean

  constructor(log: string[], { isTransactional = false, copies = true, fails = false } = {}) {
    super(log, isTransactional)
    this.#log = log
    this.copiesBatches = copies
    this.#fails = fails
  }

  override async write(batch: Batch): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 5))
    this.#log.push(`written ${batch.length}`)
    if (this.#fails) throw new BatchError('no', new Map([[0, new DeliveryError('no', { code: 'RECORD_TOO_LARGE' })]]))
  }
}

interface Case {
  delivery?: PipelinePlan['delivery']
  stages?: readonly (readonly [string, unknown])[]
  sink?: ConstructorParameters<typeof CopyingSink>[1]
  lane?: 'verbatim' | 'fields' | 'documents'
}

/** What happens with the one batch. */
async function run({ delivery = 'at_least_once', stages = [], sink, lane }: Case): Promise<string[]> {
  const log: string[] = []
  const target = new CopyingSink(log, { ...sink, isTransactional: delivery === 'exactly_once' })
  const made = stages.map(([name, spec], i) => createStage(name, spec, `stages.${i}`))
  const fields = made.flatMap((stage) => stage.fields ?? [])
  const documents = createDocuments({
    from: codecByName('json'),
    to: codecByName('json'),
    needsDocuments: true,
    fields: lane === 'fields' ? fields : undefined,
    mentionsMeta: false,
    includeMeta: false,
  })
  const plan = memoryPlan({
    delivery,
    stages: stages.map(([name, spec], i) => ({ name, spec, path: `stages.${i}` })),
    errorPolicy: sink?.fails === true ? { ...FAIL, fate: 'skip' } : FAIL,
  })
  await runPipeline(plan, {
    components: {
      ...memoryComponents(new WatchedSource(log), target),
      documents: async () => (lane === undefined || lane === 'verbatim' ? undefined : documents),
    },
    signal: NEVER,
    abort: NEVER,
    untilEnd: true,
    warn: () => {},
  })
  return log
}

const FILTER = ['$match', { a: { $gte: 2 } }] as const
const NOTHING = ['$match', { a: { $gte: 9 } }] as const

describe('the memory of a batch is given back when it is delivered', () => {
  test.each<[string, Case, string[]]>([
    ['where records are forwarded', {}, ['written 3', 'release', 'ack']],
    ['with at_most_once', { delivery: 'at_most_once' }, ['commit first', 'written 3', 'release']],
    ['in a transaction', { delivery: 'exactly_once' }, ['written 3', 'release', 'ack', 'commit']],
    ['behind a filter on fields', { stages: [FILTER], lane: 'fields' }, ['written 2', 'release', 'ack']],
    ['where a filter lets nothing through', { stages: [NOTHING], lane: 'fields' }, ['release', 'ack']],
  ])('%s', async (_, given, expected) => {
    expect(
      (await run(given)).map((line) => line.replace(/ \{.*|commit $/, (end) => (end === 'commit ' ? 'commit' : ''))),
    ).toEqual(expected)
  })

  test('in a graph without stages', async () => {
    const log: string[] = []
    const components = memoryComponents(new WatchedSource(log), new CopyingSink(log))
    await runGraph(memoryGraph(), { components, signal: NEVER, abort: NEVER, untilEnd: true, warn: () => {} })
    expect(log).toEqual(['written 3', 'ack', 'release'])
  })
})

describe('the memory of a batch is left to the garbage collector', () => {
  test.each<[string, Case]>([
    ['where the sink may keep it', { sink: { copies: false } }],
    ['where a row has failed, which somebody may want to see', { sink: { fails: true } }],
    ['behind a stage that makes documents', { stages: [['$set', { b: 1 }]], lane: 'documents' }],
    ['behind a stage that keeps what it has cut off', { stages: [['$limit', 2]] }],
    ['where values become documents of another format', { lane: 'documents' }],
  ])('%s', async (_, given) => {
    const log = await run(given)
    expect(log).toContain('ack')
    expect(log).not.toContain('release')
  })
})
