import { describe, expect, test } from 'vitest'
import { IGNORED_PRODUCER_FIELDS } from '../../../src/kafka/properties/ignored-fields.ts'
import { PRODUCER_FIELDS } from '../../../src/kafka/properties/producer-fields.ts'
import { parseOptions } from '../../../src/options/parse.ts'

const PRODUCER = { ...PRODUCER_FIELDS, ...IGNORED_PRODUCER_FIELDS }

describe('properties without effect', () => {
  test('are named with the reason', () => {
    const { problems, warnings } = parseOptions(
      { options: PRODUCER },
      {
        bootstrapServers: 'k',
        retries: 3,
        'compression.lz4.level': 9,
        'metric.reporters': 'x',
        'send.buffer.bytes': 1,
      },
    )
    expect(problems).toEqual([])
    expect(warnings.map(({ message }) => message)).toEqual([
      'Option "compression.lz4.level" has no effect: the LZ4 writer has one level, which is fast',
      'Option "metric.reporters" has no effect: Millrace has metrics of its own',
      'Option "send.buffer.bytes" has no effect: in Node.js, the operating system sets socket buffers',
      'Option "retries" has no effect: writes are retried until delivery.timeout.ms has passed',
    ])
  })
})
