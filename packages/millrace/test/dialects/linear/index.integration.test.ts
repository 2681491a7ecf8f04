/**
 * The blocks of Fluxion as they are printed, on a broker with TLS and SASL; stages per micro-batch on a real topic.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { brokerAvailable, javaAvailable } from '../../support/broker.ts'
import { startCli } from '../../support/cli.ts'
import { fromTopic, runHere, toTopic } from '../../support/pipelines.ts'
import { secureBroker, TLS_FIXTURES } from '../../support/secure-broker.ts'
import { topicBed } from '../../support/topics.ts'

const SEEDS = join(import.meta.dirname, '../../fixtures/seeds')

describe.skipIf(!javaAvailable)('the blocks of the seed', () => {
  const broker = secureBroker({ clientAuth: 'requested' })
  const bed = topicBed(() => broker().plaintext)
  let directory: string
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'millrace-linear-'))
  })
  afterAll(() => rm(directory, { recursive: true }))

  test('copy a topic with TLS and a JAAS text, gzipped', async () => {
    for (const name of ['orders', 'orders-out']) await bed().admin.createTopic({ name, partitions: 1 })
    const blocks = await Promise.all(
      ['source', 'sink'].map((name) => readFile(join(SEEDS, `fluxion-${name}.yaml`), 'utf8')),
    )
    const file = join(directory, 'seed.yaml')
    await writeFile(file, blocks.join('\n').replaceAll('localhost:9092', broker().secured))
    // The blocks name no truststore, so the authority has to be one that Node.js trusts.
    const run = startCli(['run', file], { environment: { NODE_EXTRA_CA_CERTS: join(TLS_FIXTURES, 'ca.pem') } })
    // It begins at the end of the topic, so something has to come after it has begun.
    const value = '{"order_id": 1, "amount": 12.50}'
    let isFed = false
    const feeding = (async () => {
      for (; !isFed; await sleep(100)) await bed().write('orders', [{ key: 'k', value, headers: [['h', '1']] }])
    })()
    const copied = expect
      .poll(async () => (await bed().values('orders-out')).flat().at(0), { interval: 200 })
      .toBe(value)
    try {
      // What the command says is of more use than that nothing was copied.
      await Promise.race([copied, run.ended.then(({ stderr }) => expect.fail(`The command has ended: ${stderr}`))])
    } finally {
      isFed = true
      await feeding
      run.child.kill('SIGTERM')
    }
    expect(await run.ended).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('stopped as requested') as string,
    })
    expect(await bed().groups.listGroups()).toContainEqual(expect.objectContaining({ groupId: 'fluxion-orders' }))
  })
})

describe.skipIf(!brokerAvailable)('stages that see several records', () => {
  const bed = topicBed()

  test('see one micro-batch at a time', async () => {
    const [from, to] = [await bed().create(), await bed().create()]
    await bed().write(
      from,
      Array.from({ length: 10 }, (_, n) => ({ key: 'k', value: `{"n":${n}}` })),
    )
    const stages = [
      { $group: { _id: null, sum: { $sum: '$n' }, count: { $sum: 1 } } },
      { $set: { big: { $gte: ['$sum', 20] } } },
    ]
    const spec = { source: fromTopic(from), stages, sink: toTopic(to), runtime: { microBatchSize: 4 } }
    expect(await runHere(spec)).toMatchObject({ read: { records: 10 }, written: { records: 3 } })
    expect((await bed().values(to)).flat().map((value) => JSON.parse(value) as unknown)).toEqual([
      { _id: null, sum: 6, count: 4, big: false },
      { _id: null, sum: 22, count: 4, big: true },
      { _id: null, sum: 17, count: 2, big: false },
    ])
    await bed().admin.deleteTopics([from, to])
  })
})
