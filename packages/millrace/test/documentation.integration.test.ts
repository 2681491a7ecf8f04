/**
 * Runs the pipelines of the documentation that go from topic to topic. Those of `examples/` have a test of their own.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { catalog } from '../src/catalog.ts'
import { readAnyPlan } from '../src/dialects/index.ts'
import { runPlan } from '../src/engine/run-plan.ts'
import { orderAt } from '../src/sources/generate/index.ts'
import { bootstrapServers, brokerAvailable, uniqueName } from './support/broker.ts'
import { documentedPipelines } from './support/documentation.ts'
import { topicBed } from './support/topics.ts'

/** Options stand under `options`, or beside `type`. */
interface Block {
  readonly type: string
  readonly options?: object
}
interface Pipeline {
  readonly source: Block
  readonly sink: Block
}

/** The block with other options, in the form that it has; those that it sets win over the defaults. */
function withOptions({ options, ...beside }: Block, more: object, defaults: object = {}): object {
  return options === undefined
    ? { ...defaults, ...beside, ...more }
    : { ...beside, options: { ...defaults, ...options, ...more } }
}

const RECORDS = Array.from({ length: 200 }, (_, i) => ({ key: String(i), value: JSON.stringify(orderAt(3, i)) }))

const runnable = (await documentedPipelines()).filter(({ value }) => {
  const { source, sink } = value as Partial<Pipeline>
  // With a registry a run waits for it; codecs/schemas/pipelines.integration.test.ts runs these.
  if (JSON.stringify(value).includes('"schemaRegistry"')) return false
  return source?.type === 'kafka' && sink?.type === 'kafka'
})

describe.skipIf(!brokerAvailable)('documentation', () => {
  const bed = topicBed()
  let directory: string
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'millrace-docs-'))
  })
  afterAll(() => rm(directory, { recursive: true }))

  test('has pipelines that can be run', () => {
    expect(runnable.map(({ place }) => place)).toContainEqual(expect.stringContaining('README.md'))
  })

  test.each(runnable)('the pipeline at $place runs', async ({ value }) => {
    const { source, sink, ...rest } = value as Pipeline
    const [from, to] = [await bed().create({ partitions: 2 }), await bed().create({ partitions: 2 })]
    await bed().write(from, RECORDS)
    const place = { bootstrapServers: bootstrapServers() }
    // Only names and addresses are replaced, and where to begin is said.
    const file = join(directory, 'pipeline.json')
    await writeFile(
      file,
      JSON.stringify({
        ...rest,
        source: withOptions(
          source,
          { ...place, topic: from, groupId: uniqueName('group') },
          { 'auto.offset.reset': 'earliest' },
        ),
        sink: withOptions(sink, { ...place, topic: to }),
      }),
    )
    const never = new AbortController().signal
    const result = await runPlan(await readAnyPlan(file), {
      components: catalog,
      signal: never,
      abort: never,
      untilEnd: true,
      warn: () => {},
    })
    expect(result).toMatchObject({ ended: 'source', read: { records: RECORDS.length } })
    // A transaction may be visible a moment after its commit only.
    await expect
      .poll(async () => (await bed().values(to, { 'isolation.level': 'read_committed' })).flat().length)
      .toBe(result.written.records)
    expect(result.written.records).toBeGreaterThan(0)
    await bed().admin.deleteTopics([from, to])
  })
})
