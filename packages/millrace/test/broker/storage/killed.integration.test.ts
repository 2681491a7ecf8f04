/** What a broker with a `directory` keeps when its process is killed. */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startBroker } from '../../../src/broker/index.ts'
import { produceApi } from '../../../src/protocol/messages/produce.ts'
import { startCli } from '../../support/cli.ts'
import { batchOf, produceOf } from '../../support/produce.ts'
import { RawClient } from '../../support/raw-client.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-broker-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

test('everything acknowledged is there after a broker was killed while it wrote', { timeout: 120_000 }, async () => {
  const acknowledged = new Set<string>()
  for (let round = 0; round < 3; round++) {
    const running = startCli(['broker', '--port', '0', '--json', '--data', directory, '--topics', 'a:3'])
    const [line] = (await once(running.child.stdout!, 'data')) as [string]
    const { result } = JSON.parse(line) as { result: { bootstrapServers: string } }
    const enough = Promise.withResolvers<void>()
    const writing = writeUntilGone(result.bootstrapServers, `${round}`, acknowledged, enough.resolve)
    await enough.promise
    running.child.kill('SIGKILL')
    await running.ended.catch(() => undefined)
    await writing
    await using broker = await startBroker({ directory })
    const values = (await broker.topic('a').records()).map(({ value }) => String(value))
    expect(values.length).toBe(new Set(values).size)
    expect([...acknowledged].filter((value) => !values.includes(value))).toEqual([])
  }
  expect(acknowledged.size).toBeGreaterThan(300)
})

/** Writes in several connections at once, until the broker has gone. */
async function writeUntilGone(
  address: string,
  name: string,
  acknowledged: Set<string>,
  onEnough: () => void,
): Promise<void> {
  let count = 0
  const writeTo = async (partition: number): Promise<void> => {
    using client = await RawClient.connect(address)
    for (let i = 0; ; i++) {
      const values = Array.from({ length: 1 + (i % 5) }, (_, k) => `${name}.${partition}.${i}.${k}`)
      const padded = batchOf(values, {
        records: values.map((value) => ({ key: Buffer.alloc(20_000 * (i % 3)), value: Buffer.from(value) })),
      })
      const { responses } = await client.request(produceApi, 10, produceOf({ name: 'a' }, padded, { partition }))
      if (responses[0]!.partitionResponses[0]!.errorCode !== 0) throw new Error('refused')
      for (const value of values) acknowledged.add(value)
      count += values.length
      if (count > 150) onEnough()
    }
  }
  const ends = await Promise.allSettled([0, 1, 2].map(writeTo))
  for (const end of ends) expect(end).toMatchObject({ reason: { message: 'The broker closed the connection' } })
}
