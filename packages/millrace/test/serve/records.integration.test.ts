import { describe, expect, test, vi } from 'vitest'
import { Monitor } from '../../src/serve/index.ts'
import { brokerAvailable } from '../support/broker.ts'
import { fromTopic, runHere, toTopic } from '../support/pipelines.ts'
import { topicBed } from '../support/topics.ts'

const POISON = '{"amount": 120,'

describe.skipIf(!brokerAvailable)('a pipeline that meets a record it cannot decode', () => {
  const bed = topicBed()

  test('shows records before and after its stage, then the partition that is stuck and the record that ended the run', async () => {
    const [from, to] = [await bed().create({ partitions: 3 }), await bed().create()]
    const monitor = new Monitor('1.2.3')
    const running = runHere(
      { source: fromTopic(from), stages: [{ $set: { tier: 'high' } }], sink: toTopic(to) },
      { untilEnd: false, onPipeline: (pipeline) => monitor.add(pipeline) },
    ).catch((error: unknown) => error)
    await vi.waitFor(() => expect(monitor.records('test', 'stage-1')?.samples).toEqual([]), 20_000)
    await bed().write(from, [{ key: 'o-1', value: '{"amount":1}' }])
    const { record, before, after } = await vi.waitFor(() => {
      const { samples } = monitor.records('test', 'stage-1')!
      expect(samples).toHaveLength(1)
      return samples[0]!
    }, 20_000)
    expect([record!.key, before, after]).toEqual(['o-1', '{"amount":1}', ['{"amount":1,"tier":"high"}']])
    await bed().write(from, [{ key: 'o-1', value: POISON }])
    expect(await running).toMatchObject({ code: 'DECODE_FAILED' })
    const [pipeline] = monitor.status().pipelines
    expect(pipeline!.partitions[0]!.problem).toMatch(/^offset 1 ended the run: DECODE_FAILED: /)
    expect(pipeline!.partitions.slice(1).map(({ problem }) => problem)).toEqual([undefined, undefined])
    expect(pipeline!.failures).toMatchObject([
      {
        fate: 'fatal',
        partition: pipeline!.partitions[0]!.partition,
        offset: '1',
        record: { key: 'o-1', value: POISON },
      },
    ])
  })

  test('keeps the record of a dead letter', async () => {
    const [from, to, dead] = [await bed().create(), await bed().create(), await bed().create()]
    const monitor = new Monitor('1.2.3')
    await bed().write(from, [
      { key: 'o-1', value: POISON },
      { key: 'o-2', value: '{"amount":1}' },
    ])
    await runHere(
      {
        source: fromTopic(from),
        stages: [{ $set: { tier: 'high' } }],
        sink: toTopic(to),
        errorPolicy: { type: 'deadLetter', deadLetter: { topic: dead } },
      },
      { onPipeline: (pipeline) => monitor.add(pipeline) },
    )
    const [failure] = monitor.status().pipelines[0]!.failures
    expect(failure).toMatchObject({ fate: 'dead-lettered', code: 'DECODE_FAILED', offset: '0', hasRecord: true })
    expect(monitor.failedRecord('test', failure!.id)).toMatchObject({ record: { key: 'o-1', value: POISON } })
  })
})
