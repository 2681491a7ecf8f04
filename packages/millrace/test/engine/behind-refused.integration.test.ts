/** What a run that stops at a record leaves in the output: nothing that was behind it in its partition (I2). */
import { describe, expect, test } from 'vitest'
import type { BatchError } from '../../src/errors/index.ts'
import { brokerAvailable, uniqueName } from '../support/broker.ts'
import { fromTopic, runHere, toTopic } from '../support/pipelines.ts'
import { topicBed } from '../support/topics.ts'

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
      const written = (await bed().values(output)).flat().map((value) => (JSON.parse(value) as { n: number }).n)
      expect(written.filter((n) => n > 46)).toEqual([])
    }
  })
})
