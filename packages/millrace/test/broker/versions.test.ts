/** Every API that the broker announces is asked in every version: the answer must be one of that version. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { APIS, type ApiEntry } from '../../src/protocol/api-index.ts'
import { SUPPORTED, type SupportedName } from '../../src/broker/apis/supported.ts'
import { type EmbeddedBroker, startBroker } from '../../src/broker/index.ts'
import { ERROR } from '../../src/protocol/error-codes.ts'
import { apiVersionsApi } from '../../src/protocol/messages/api-versions.ts'
import { metadataApi } from '../../src/protocol/messages/metadata.ts'
import type { Structure } from '../../src/protocol/schema.ts'
import { errorsIn, fitting, requestsFor } from '../support/broker-requests.ts'
import { RawClient } from '../support/raw-client.ts'

let broker: EmbeddedBroker
let client: RawClient
let topicId: string

beforeAll(async () => {
  broker = await startBroker({ topics: { orders: 2 } })
  client = await RawClient.connect(broker.bootstrapServers)
  const { topics } = await client.request(metadataApi, 12, { topics: [{ name: 'orders' }] })
  topicId = topics[0]!.topicId
})

afterAll(async () => {
  client.close()
  await broker.close()
})

/** Errors that these requests are answered with. */
const EXPECTED: { readonly [name in SupportedName]?: number[] } = {
  JoinGroup: [ERROR.INVALID_SESSION_TIMEOUT],
  Heartbeat: [ERROR.UNKNOWN_MEMBER_ID],
  LeaveGroup: [ERROR.UNKNOWN_MEMBER_ID],
  SyncGroup: [ERROR.UNKNOWN_MEMBER_ID],
  AddPartitionsToTxn: [ERROR.INVALID_PRODUCER_ID_MAPPING],
  AddOffsetsToTxn: [ERROR.INVALID_PRODUCER_ID_MAPPING],
  EndTxn: [ERROR.INVALID_PRODUCER_ID_MAPPING],
  TxnOffsetCommit: [ERROR.INVALID_PRODUCER_ID_MAPPING],
  // The broker of these tests asks for no credentials, and has no ACLs.
  SaslHandshake: [ERROR.ILLEGAL_SASL_STATE],
  SaslAuthenticate: [ERROR.ILLEGAL_SASL_STATE],
  DescribeAcls: [ERROR.SECURITY_DISABLED],
  ElectLeaders: [ERROR.ELECTION_NOT_NEEDED],
  DescribeTransactions: [ERROR.TRANSACTIONAL_ID_NOT_FOUND],
}

describe('every announced version', () => {
  const rows = SUPPORTED.flatMap(({ name, min, max }) =>
    Array.from({ length: max - min + 1 }, (_, i) => ({ name, version: min + i })),
  )

  test.each(rows)('of $name is answered: $version', async ({ name, version }) => {
    const api = await (APIS as readonly ApiEntry[]).find((entry) => entry.name === name)!.load()
    // Deleting needs what creating made.
    if (name === 'DeleteTopics') broker.createTopic(`created-${version}`)
    const request = fitting(api.request, version, requestsFor(topicId)[name](version) as Structure)
    const response = await client.request(api, version, request)
    expect(new Set(errorsIn(response).filter((code) => code !== 0))).toEqual(new Set(EXPECTED[name] ?? []))
    if (name === 'CreateTopics')
      await client.request(
        await (APIS as readonly ApiEntry[]).find((entry) => entry.name === 'DeleteTopics')!.load(),
        5,
        {
          topicNames: [`created-${version}`],
          timeoutMs: 1,
        },
      )
  })

  test('is what ApiVersions reports', async () => {
    const { apiKeys } = await client.request(apiVersionsApi, 3, { clientSoftwareName: 'a', clientSoftwareVersion: '1' })
    const expected = SUPPORTED.map(({ key, min, max }) => ({
      apiKey: key,
      minVersion: key === 0 ? 0 : min,
      maxVersion: max,
    }))
    expect(apiKeys).toEqual(expected)
  })
})

describe('a version that there is not', () => {
  test('of ApiVersions is answered in version 0, with the versions that there are', async () => {
    using raw = await RawClient.connect(broker.bootstrapServers)
    const answer = new Promise<Buffer>((resolve) => raw.socket.once('data', resolve))
    raw.socket.write(Buffer.from('0000000a' + '0012' + '0063' + '00000005' + '0000', 'hex'))
    const bytes = await answer
    expect(bytes.readInt32BE(4)).toBe(5)
    expect(bytes.readInt16BE(8)).toBe(ERROR.UNSUPPORTED_VERSION)
  })

  test.each([
    { name: 'of another API', frame: '0000000a' + '0003' + '0063' + '00000005' + '0000' },
    { name: 'of an API that Kafka does not have', frame: '0000000a' + '0fff' + '0000' + '00000005' + '0000' },
    {
      name: 'of Produce that is announced for old clients only',
      frame: '0000000a' + '0000' + '0002' + '00000005' + '0000',
    },
    { name: 'in a frame that is cut off', frame: '00000004' + '00120000' },
    { name: 'in a frame of two gigabytes', frame: '7fffffff' + '00120000' },
    { name: 'with a body that is none', frame: '0000000f' + '0003' + '000c' + '00000005' + 'ffff' + '00' + 'ffffffff' },
  ])('$name closes the connection, and the broker serves on', async ({ frame }) => {
    using raw = await RawClient.connect(broker.bootstrapServers)
    const closed = new Promise<void>((resolve) => raw.socket.once('close', () => resolve()))
    raw.socket.write(Buffer.from(frame, 'hex'))
    await closed
    expect((await client.request(metadataApi, 12, { topics: [] })).brokers).toHaveLength(1)
  })
})
