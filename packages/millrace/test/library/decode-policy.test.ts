import { describe, expect, test } from 'vitest'
import { startBroker, type EmbeddedBroker } from '../../src/broker/index.ts'
import {
  type ConsumerRecord,
  type DecodeAction,
  DecodeError,
  KafkaSink,
  KafkaSource,
  type OnDecodeError,
} from '../../src/index.ts'

/** JSON, apart from the values at 2 and 3. */
const VALUES = ['0', '1', 'x', 'y', '4', '5']

async function written(broker: EmbeddedBroker): Promise<void> {
  await using sink = new KafkaSink({ bootstrapServers: broker.bootstrapServers, topic: 'numbers' })
  await sink.write(VALUES.map((value) => ({ value })))
}

interface Reading {
  readonly source: KafkaSource<Buffer, number>
  readonly warnings: string[]
  readonly committed: () => bigint | undefined
}

function readingOf(broker: EmbeddedBroker, onDecodeError: OnDecodeError): Reading {
  const warnings: string[] = []
  const source = new KafkaSource<Buffer, number>({
    bootstrapServers: broker.bootstrapServers,
    topics: 'numbers',
    groupId: 'g',
    autoOffsetReset: 'earliest',
    untilEnd: true,
    decode: { value: (bytes) => JSON.parse(bytes.toString()) as number },
    onDecodeError,
    onWarning: (message) => warnings.push(message),
  })
  return { source, warnings, committed: () => broker.groups()[0]?.offsets[0]?.offset }
}

const read = {
  'a loop over records': async (source: KafkaSource<Buffer, number>): Promise<(number | null)[]> => {
    const values: (number | null)[] = []
    for await (const { value } of source) values.push(value)
    return values
  },
  poll: async (source: KafkaSource<Buffer, number>): Promise<(number | null)[]> => {
    const values: (number | null)[] = []
    for (let calls = 0; calls < 4; calls++) {
      for (const { value } of await source.poll({ maxRecords: 4 })) values.push(value)
    }
    return values
  },
}

describe.each(Object.entries(read))('records that cannot be decoded, in %s', (kind, all) => {
  test('are skipped, reported and committed with skip', async () => {
    await using broker = await startBroker({ topics: { numbers: 1 } })
    await written(broker)
    const { source, warnings, committed } = readingOf(broker, 'skip')
    expect(await all(source)).toEqual([0, 1, 4, 5])
    await source.close()
    expect(warnings).toEqual([
      expect.stringMatching(/^A record was skipped: DECODE_FAILED: Cannot decode the value at offset 2 /),
      expect.stringMatching(/^A record was skipped: DECODE_FAILED: Cannot decode the value at offset 3 /),
    ])
    expect(committed()).toBe(6n)
  })

  test('are what a function decides, which has them as they were read', async () => {
    await using broker = await startBroker({ topics: { numbers: 1, letters: 1 } })
    await written(broker)
    await using letters = new KafkaSink({ bootstrapServers: broker.bootstrapServers, topic: 'letters' })
    const { source } = readingOf(broker, async (error, { value, offset }): Promise<DecodeAction> => {
      expect(error).toBeInstanceOf(DecodeError)
      await letters.send({ value, key: String(offset) })
      return 'skip'
    })
    expect(await all(source)).toEqual([0, 1, 4, 5])
    await source.close()
    expect(
      (await broker.topic('letters').records()).map(({ key, value }) => `${String(key)} ${String(value)}`),
    ).toEqual(['2 x', '3 y'])
  })

  test('end it with fail, and are committed no more than what follows them', async () => {
    await using broker = await startBroker({ topics: { numbers: 1 } })
    await written(broker)
    const { source, committed } = readingOf(broker, 'fail')
    const seen: bigint[] = []
    const reading = async (): Promise<void> => {
      const note = ({ offset }: ConsumerRecord<Buffer, number>): void => void seen.push(offset)
      if (kind === 'poll') for (;;) (await source.poll()).forEach(note)
      for await (const record of source) note(record)
    }
    await expect(reading()).rejects.toMatchObject({ code: 'DECODE_FAILED', offset: 2n })
    // The next one meets the same record.
    await expect(reading()).rejects.toMatchObject({ code: 'DECODE_FAILED', offset: 2n })
    expect(seen).toEqual([0n, 1n])
    await source.close()
    expect(committed()).toBe(2n)
  })
})
