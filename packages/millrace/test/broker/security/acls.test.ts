/** Who may do what: by a function, and by ACLs that requests create. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SUPPORTED, type SupportedName } from '../../../src/broker/apis/supported.ts'
import { type EmbeddedBroker, startBroker } from '../../../src/broker/index.ts'
import { Acls, PATTERN, PERMISSION } from '../../../src/broker/security/acls.ts'
import { type Operation, OPERATIONS, RESOURCE_TYPES } from '../../../src/broker/security/authorizer.ts'
import { IN_MEMORY } from '../../../src/broker/storage/store.ts'
import { APIS, type ApiEntry } from '../../../src/protocol/api-index.ts'
import { ERROR } from '../../../src/protocol/error-codes.ts'
import { consumerGroupHeartbeatApi } from '../../../src/protocol/messages/consumer-group-heartbeat.ts'
import { createAclsApi } from '../../../src/protocol/messages/create-acls.ts'
import { deleteAclsApi } from '../../../src/protocol/messages/delete-acls.ts'
import { describeAclsApi } from '../../../src/protocol/messages/describe-acls.ts'
import { fetchApi } from '../../../src/protocol/messages/fetch.ts'
import { metadataApi } from '../../../src/protocol/messages/metadata.ts'
import { produceApi } from '../../../src/protocol/messages/produce.ts'
import { saslAuthenticateApi } from '../../../src/protocol/messages/sasl-authenticate.ts'
import { saslHandshakeApi } from '../../../src/protocol/messages/sasl-handshake.ts'
import type { Structure } from '../../../src/protocol/schema.ts'
import { errorsIn, fitting, requestsFor } from '../../support/broker-requests.ts'
import { batchOf, produceOf } from '../../support/produce.ts'
import { RawClient } from '../../support/raw-client.ts'

const { TOPIC_AUTHORIZATION_FAILED, GROUP_AUTHORIZATION_FAILED, CLUSTER_AUTHORIZATION_FAILED } = ERROR
const { TRANSACTIONAL_ID_AUTHORIZATION_FAILED } = ERROR

/** Numbers of an ACL, by Kafka's names. */
const acl = (
  principal: string,
  operation: Operation,
  resourceName: string,
  { permission = 'allow', pattern = 'literal', type = 'Topic', host = '*' } = {},
) => ({
  resourceType: RESOURCE_TYPES.indexOf(type as (typeof RESOURCE_TYPES)[number]),
  resourceName,
  patternType: PATTERN[pattern as 'literal' | 'prefixed'],
  principal,
  host,
  operation: OPERATIONS.indexOf(operation),
  permissionType: PERMISSION[permission as 'allow' | 'deny'],
})

describe('a client without any permission', () => {
  let broker: EmbeddedBroker
  let client: RawClient
  let isLocked = false
  let topicId: string
  beforeEach(async () => {
    isLocked = false
    broker = await startBroker({ topics: { orders: 2 }, authorization: () => !isLocked })
    client = await RawClient.connect(broker.bootstrapServers)
    const { topics } = await client.request(metadataApi, 12, { topics: [{ name: 'orders' }] })
    topicId = topics[0]!.topicId
    isLocked = true
  })
  afterEach(async () => {
    client.close()
    await broker.close()
  })

  /** APIs that anybody may use, or that leave out what may not be seen. */
  const OPEN: readonly SupportedName[] = [
    'ApiVersions',
    'SaslHandshake',
    'SaslAuthenticate',
    'DescribeCluster',
    'ListGroups',
    'ListTransactions',
  ]
  const filter = {
    resourceTypeFilter: 1,
    resourceNameFilter: null,
    patternTypeFilter: 1,
    principalFilter: null,
    hostFilter: null,
    operation: 1,
    permissionType: 1,
  }
  const MORE: { readonly [name in SupportedName]?: object } = {
    DeleteTopics: { topics: [{ name: 'orders' }], topicNames: ['orders'] },
    DeleteGroups: { groupsNames: ['g'] },
    CreateAcls: { creations: [acl('User:a', 'Read', 'orders')] },
    DeleteAcls: { filters: [filter] },
    AlterUserScramCredentials: { deletions: [{ name: 'a', mechanism: 1 }], upsertions: [] },
  }
  const rows = SUPPORTED.filter(({ name }) => !OPEN.includes(name)).flatMap(({ name, min, max }) =>
    // DescribeLogDirs has had no place for an error before version 3.
    [...new Set([name === 'DescribeLogDirs' ? 3 : min, max])].map((version) => ({ name, version })),
  )

  test.each(rows)('is refused by $name, version $version', async ({ name, version }) => {
    const api = await (APIS as readonly ApiEntry[]).find((entry) => entry.name === name)!.load()
    const request = { ...requestsFor(topicId)[name](version), ...MORE[name] }
    const errors = errorsIn(await client.request(api, version, fitting(api.request, version, request as Structure)))
    const refusals: number[] = [
      TOPIC_AUTHORIZATION_FAILED,
      GROUP_AUTHORIZATION_FAILED,
      CLUSTER_AUTHORIZATION_FAILED,
      TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    ]
    expect(errors.filter((code) => refusals.includes(code))).not.toEqual([])
    expect(broker.topics()).toEqual(['orders'])
    expect(await broker.topic('orders').records()).toEqual([])
  })

  test('sees no topics when it asks for all, and is disconnected when it writes without wanting an answer', async () => {
    expect((await client.request(metadataApi, 12, { topics: null })).topics).toEqual([])
    const closed = new Promise((resolve) => client.socket.once('close', resolve))
    client.send(produceApi, 10, produceOf({ name: 'orders' }, batchOf(['a']), { acks: 0 }))
    await closed
  })
})

test('what a client may do of a request is done, and the rest refused', async () => {
  await using broker = await startBroker({
    topics: { a: 1, b: 1 },
    authorization: ({ resourceName, operation }) => resourceName === 'a' && operation !== 'Read',
  })
  using client = await RawClient.connect(broker.bootstrapServers)
  const topicData = ['a', 'b'].map((name) => ({ name, partitionData: [{ index: 0, records: batchOf(['x']) }] }))
  const { responses } = await client.request(produceApi, 10, {
    transactionalId: null,
    acks: -1,
    timeoutMs: 1,
    topicData,
  })
  expect(responses.map(({ name, partitionResponses }) => [name, partitionResponses[0]!.errorCode])).toEqual([
    ['a', 0],
    ['b', TOPIC_AUTHORIZATION_FAILED],
  ])
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }]
  const fetched = await client.request(fetchApi, 11, {
    maxWaitMs: 0,
    minBytes: 0,
    topics: [{ topic: 'a', partitions }],
  })
  expect(fetched.responses[0]!.partitions[0]!.errorCode).toBe(TOPIC_AUTHORIZATION_FAILED)
})

test('a regular expression matches only the topics that a member may see', async () => {
  await using broker = await startBroker({
    topics: { 'orders-open': 1, 'orders-secret': 1 },
    authorization: ({ resourceName }) => resourceName !== 'orders-secret',
  })
  using client = await RawClient.connect(broker.bootstrapServers)
  const { topics } = await client.request(metadataApi, 12, { topics: [{ name: 'orders-open' }] })
  const member = { groupId: 'readers', memberId: 'one' }
  const { memberEpoch } = await client.request(consumerGroupHeartbeatApi, 1, {
    ...member,
    memberEpoch: 0,
    rebalanceTimeoutMs: 1000,
    subscribedTopicNames: [],
    subscribedTopicRegex: 'orders-.*',
    topicPartitions: [],
  })
  // The topics are looked up after this answer.
  const assigned = async () =>
    (await client.request(consumerGroupHeartbeatApi, 1, { ...member, memberEpoch })).assignment?.topicPartitions
  await expect.poll(assigned).toEqual([{ topicId: topics[0]!.topicId, partitions: [0] }])
})

describe('ACLs', () => {
  const action = (operation: Operation, resourceName: string, principal = 'User:alice', host = '127.0.0.1') =>
    ({ principal, host, operation, resourceType: 'Topic', resourceName }) as const

  test.each([
    { name: 'nothing is allowed without one', acls: [], wanted: action('Read', 'a'), allowed: false },
    { name: 'a literal name', acls: [acl('User:alice', 'Read', 'a')], wanted: action('Read', 'a'), allowed: true },
    { name: 'another name', acls: [acl('User:alice', 'Read', 'a')], wanted: action('Read', 'ab'), allowed: false },
    { name: 'another user', acls: [acl('User:bob', 'Read', 'a')], wanted: action('Read', 'a'), allowed: false },
    { name: 'every user', acls: [acl('User:*', 'Read', 'a')], wanted: action('Read', 'a'), allowed: true },
    { name: 'every name', acls: [acl('User:alice', 'Read', '*')], wanted: action('Read', 'a'), allowed: true },
    {
      name: 'a prefix',
      acls: [acl('User:alice', 'Read', 'a', { pattern: 'prefixed' })],
      wanted: action('Read', 'ab'),
      allowed: true,
    },
    {
      name: 'another host',
      acls: [acl('User:alice', 'Read', 'a', { host: '10.0.0.1' })],
      wanted: action('Read', 'a'),
      allowed: false,
    },
    { name: 'all operations', acls: [acl('User:alice', 'All', 'a')], wanted: action('Delete', 'a'), allowed: true },
    {
      name: 'describe by read',
      acls: [acl('User:alice', 'Read', 'a')],
      wanted: action('Describe', 'a'),
      allowed: true,
    },
    {
      name: 'read by describe',
      acls: [acl('User:alice', 'Describe', 'a')],
      wanted: action('Read', 'a'),
      allowed: false,
    },
    {
      name: 'a denial before what is allowed',
      acls: [acl('User:alice', 'All', '*'), acl('User:alice', 'Read', 'a', { permission: 'deny' })],
      wanted: action('Read', 'a'),
      allowed: false,
    },
    { name: 'a super user', acls: [], wanted: action('Read', 'a', 'User:admin'), allowed: true },
  ])('decide about $name', ({ acls, wanted, allowed }) => {
    const authorizer = new Acls({ superUsers: ['User:admin'] }, IN_MEMORY)
    for (const each of acls) authorizer.add(each)
    expect(authorizer.authorize(wanted)).toBe(allowed)
  })

  test('are created, described and deleted by requests, and followed at once', async () => {
    await using broker = await startBroker({
      topics: { a: 1 },
      sasl: { PLAIN: { admin: 'admin', alice: 'secret' } },
      authorization: { superUsers: ['User:admin'] },
    })
    const clientOf = async (user: string, secret: string): Promise<RawClient> => {
      const client = await RawClient.connect(broker.bootstrapServers)
      await client.request(saslHandshakeApi, 1, { mechanism: 'PLAIN' })
      await client.request(saslAuthenticateApi, 2, { authBytes: Buffer.from(`\0${user}\0${secret}`) })
      return client
    }
    using admin = await clientOf('admin', 'admin')
    using alice = await clientOf('alice', 'secret')
    const write = async (): Promise<number> => {
      const { responses } = await alice.request(produceApi, 10, produceOf({ name: 'a' }, batchOf(['x'])))
      return responses[0]!.partitionResponses[0]!.errorCode
    }
    expect(await write()).toBe(TOPIC_AUTHORIZATION_FAILED)
    const { patternType: resourcePatternType, ...creation } = acl('User:alice', 'Write', 'a')
    const bad = { ...creation, resourcePatternType, operation: 1 }
    const { results } = await admin.request(createAclsApi, 3, {
      creations: [{ ...creation, resourcePatternType }, bad],
    })
    expect(results.map(({ errorCode }) => errorCode)).toEqual([0, ERROR.INVALID_REQUEST])
    expect(await write()).toBe(0)
    const filter = {
      resourceTypeFilter: 2,
      resourceNameFilter: 'a',
      patternTypeFilter: PATTERN.match,
      principalFilter: null,
      hostFilter: null,
      operation: 1,
      permissionType: 1,
    }
    expect((await admin.request(describeAclsApi, 3, filter)).resources).toMatchObject([
      { resourceName: 'a', acls: [{ principal: 'User:alice', host: '*' }] },
    ])
    const { filterResults } = await admin.request(deleteAclsApi, 3, { filters: [filter] })
    expect(filterResults[0]!.matchingAcls).toHaveLength(1)
    expect(await write()).toBe(TOPIC_AUTHORIZATION_FAILED)
  })
})
