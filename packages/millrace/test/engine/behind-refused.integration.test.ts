/** What a run that stops at a record leaves in the output: nothing that was behind it in its partition (I2). */
import { describe, expect, test } from 'vitest'
import type { BatchError } from '../../src/errors/index.ts'
import { brokerAvailable, proxiedBroker, uniqueName } from '../support/broker.ts'
import { fromTopic, runHere, toTopic } from '../support/pipelines.ts'
import { topicBed } from '../support/topics.ts'

/** What a pipeline that stops at a record has written behind it. */
const numbersOf = (values: readonly string[][]): number[] =>
  values.flat().map((value) => (JSON.parse(value) as { n: number }).n)

describe.skipIf(!brokerAvailable)('a record that is larger than max.request.size, where the policy is to stop', () => {
  const bed = topicBed()

  // The run ended, and what had been appended behind it was written nevertheless.
  test('is overtaken by nothing of its partition', async () => {
    const [input, output] = [await bed().create(), await bed().create()]
    const records = Array.from({ length: 2000 }, (_, n) => ({
      value: JSON.stringify({ n, ...(n === 46 ? { text: 'x'.repeat(50_000) } : {}) }),
    }))
    await bed().write(input, records, { batchBytes: 1_000_000 })
    const error = await runHere({
      source: fromTopic(input),
      stages: [{ $set: { seen: true } }],
      sink: toTopic(output, { 'batch.size': 500, 'linger.ms': 0, 'max.request.size': 40_000 }),
    }).catch((failure: unknown) => failure)
    expect(error).toMatchObject({ code: 'BATCH_FAILED' })
    expect([...(error as BatchError).failures.values()].map(({ code }) => code)).toContain('RECORD_TOO_LARGE')
    const written = numbersOf(await bed().values(output))
    expect(written).toEqual(Array.from({ length: written.length }, (_, n) => n))
    expect(written.length).toBeLessThanOrEqual(46)
  })
})

describe.skipIf(!brokerAvailable)('a record that is refused after a lost answer, where the policy is to stop', () => {
  const kafka = proxiedBroker()
  const bed = topicBed(() => kafka().kafka.bootstrapServers)

  // The others of its batch were written under its sequences, and then everything behind them.
  test('is overtaken by nothing of its partition', async () => {
    const [input, output] = [await bed().create(), await bed().create({ configs: { 'cleanup.policy': 'compact' } })]
    const records = Array.from({ length: 100 }, (_, n) => ({
      ...(n === 3 ? {} : { key: `k${n}` }),
      value: `{"n":${n}}`,
    }))
    await bed().write(input, records)
    const lost = kafka().proxies[0]!.loseAnswer('Produce', 'cut')
    const running = runHere({
      source: fromTopic(input, { bootstrapServers: kafka().kafka.bootstrapServers }),
      stages: [{ $set: { seen: true } }],
      sink: toTopic(output, { bootstrapServers: kafka().bootstrapServers, 'linger.ms': 0 }),
    }).catch((failure: unknown) => failure)
    await lost
    expect(await running).toMatchObject({ code: 'BATCH_FAILED' })
    expect(numbersOf(await bed().values(output)).filter((n) => n > 3)).toEqual([])
  })
})

describe.skipIf(!brokerAvailable)('a record that the broker refuses, where the policy is to stop', () => {
  const bed = topicBed()

  // What was under way behind it was written in a new epoch, and the next run delivered the records beside it afterwards.
  test('is overtaken by nothing of its partition', async () => {
    const [input, output] = [await bed().create(), await bed().create({ configs: { 'cleanup.policy': 'compact' } })]
    const records = Array.from({ length: 2000 }, (_, n) => ({
      ...(n === 46 ? {} : { key: `k${n}` }),
      value: `{"n":${n}}`,
    }))
    await bed().write(input, records, { batchBytes: 1_000_000 })
    const spec = {
      source: fromTopic(input, { groupId: uniqueName('group') }),
      stages: [{ $set: { seen: true } }],
      sink: toTopic(output, { 'batch.size': 500, 'linger.ms': 0 }),
    }
    for (let run = 0; run < 2; run++) {
      const error = await runHere(spec).catch((failure: unknown) => failure)
      expect(error).toMatchObject({ code: 'BATCH_FAILED' })
      const failures = [...(error as BatchError).failures.values()].map(({ code }) => code)
      expect(failures).toContain('DELIVERY_FAILED')
      expect(numbersOf(await bed().values(output)).filter((n) => n > 46)).toEqual([])
    }
  })
})
