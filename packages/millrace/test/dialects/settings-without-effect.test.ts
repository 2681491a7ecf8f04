/** Settings of the hosts that change nothing here: each says in one line what happens instead. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readPipelineFile } from '../../src/dialects/index.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-settings-'))
})
afterAll(() => rm(directory, { recursive: true }))

async function warningsOf(content: object): Promise<readonly string[]> {
  const file = join(directory, 'file.json')
  await writeFile(file, JSON.stringify(content))
  const { problems, warnings } = await readPipelineFile(file, {})
  expect(problems).toEqual([])
  return warnings.map(({ message }) => message)
}

const KAFKA = { topic: 'a', bootstrapServers: 'k:1' }

describe('in a linear file', () => {
  const read = ({ source = {}, sink = {}, ...more }: { source?: object; sink?: object; [name: string]: unknown }) =>
    warningsOf({
      source: { type: 'kafka', options: { ...KAFKA, groupId: 'g', ...source } },
      sink: { type: 'kafka', options: { ...KAFKA, topic: 'b', ...sink } },
      ...more,
    })
  test.each([
    { setting: { runtime: { workerThreadPoolSize: 8 } }, says: /always 1: a pipeline runs in one thread/ },
    { setting: { runtime: { directHandoff: false } }, says: /always true: stages pass batches on/ },
    { setting: { runtime: { microBatchSize: 500 } }, says: /no effect: no stage looks at several records/ },
    { setting: { stateStore: { type: 'memory' } }, says: /no effect: offsets are kept by Kafka/ },
    { setting: { sink: { retries: 3 } }, says: /no effect: writes are retried until delivery.timeout.ms/ },
    { setting: { source: { 'metric.reporters': 'x' } }, says: /no effect/ },
  ])('$setting', async ({ setting, says }) => {
    expect(await read(setting)).toEqual([expect.stringMatching(says)])
  })

  test.each([
    { runtime: { workerThreadPoolSize: 1, directHandoff: true } },
    { runtime: { microBatchSize: 500 }, stages: [{ $sort: { a: 1 } }] },
    { source: { 'max.poll.records': 100 }, sink: { batchSize: 200 } },
  ])('%j is as it says, so nothing is said', async (setting) => {
    expect(await read(setting)).toEqual([])
  })
})

describe('in a file of connectors', () => {
  const read = ({ config = {}, target = {}, settings = {} }: { config?: object; target?: object; settings?: object }) =>
    warningsOf({
      broker: { bootstrap_servers: ['hub:1'] },
      sources: { a: { connector: 'kafka', topic: 't', config: { brokers: 'k:1', topic: 'x', ...config } } },
      sinks: {
        b: {
          connector: 'kafka',
          topics: ['t'],
          consumer_group: 'g',
          config: { brokers: 'k:1', topic: 'y', ...target },
        },
      },
      settings,
    })
  test.each([
    { setting: { config: { empty_poll_delay_ms: 100 } }, says: /no effect: brokers respond as soon as/ },
    { setting: { config: { enable_auto_commit: false } }, says: /always true: offsets are committed once/ },
    { setting: { target: { retries: 3 } }, says: /no effect: writes are retried for two minutes/ },
    { setting: { settings: { retry: { max_retries: 3 } } }, says: /no effect: requests are retried for a minute/ },
    { setting: { settings: { retry: { backoff_multiplier: 3 } } }, says: /no effect: waits double/ },
    { setting: { settings: { topic: { validate_existing: true } } }, says: /always false: existing topics/ },
    { setting: { settings: { topic: { require_topic_exists: false } } }, says: /always true: a missing topic/ },
    { setting: { settings: { log_level: 'debug' } }, says: /no effect: problems are reported/ },
    { setting: { settings: { telemetry: { enabled: true } } }, says: /no effect/ },
  ])('$setting', async ({ setting, says }) => {
    expect(await read(setting)).toEqual([expect.stringMatching(says)])
  })

  test.each([
    { config: { max_poll_records: 500, enable_auto_commit: true } },
    { settings: { topic: { require_topic_exists: true, validate_existing: false }, metrics: { enabled: false } } },
  ])('%j is as it says, so nothing is said', async (setting) => {
    expect(await read(setting)).toEqual([])
  })
})

describe('in a stage graph', () => {
  const read = (global: object): Promise<readonly string[]> =>
    warningsOf({
      global,
      stages: [
        { id: 'a', function: 'csv.read', config: { path: 'a.csv' } },
        { id: 'b', function: 'stdout.write', inputs: ['a'] },
      ],
    })
  test.each([
    { setting: { max_parallel_tasks: 4 }, says: /no effect: stages run in one thread/ },
    { setting: { concurrency: 10 }, says: /no effect: stages run in one thread/ },
    { setting: { executor: 'dag' }, says: /no effect: there is one/ },
    { setting: { channel_buffer_size: 100 }, says: /no effect: buffers .* are limited in bytes/ },
    { setting: { checkpoint_interval: 5000 }, says: /no effect: offsets .* auto.commit.interval.ms/ },
    { setting: { log_level: 'debug' }, says: /no effect: warnings and progress are always/ },
    { setting: { wasm_plugins: ['x'] }, says: /no effect: there are no plug-ins/ },
  ])('$setting', async ({ setting, says }) => {
    expect(await read(setting)).toEqual([expect.stringMatching(says)])
  })

  test.each([{ stream_batch_size: 100 }, { plugins: ['kafka'] }])(
    '%j is as it says, so nothing is said',
    async (setting) => {
      expect(await read(setting)).toEqual([])
    },
  )
})
