import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { GroupAdmin } from '../../../src/kafka/admin/groups.ts'
import { Cluster } from '../../../src/kafka/cluster/cluster.ts'
import { bootstrapServers, brokerAvailable, uniqueName } from '../../support/broker.ts'

describe.skipIf(!brokerAvailable)('groups', () => {
  let cluster: Cluster
  let groups: GroupAdmin
  beforeAll(() => {
    cluster = new Cluster({ bootstrapServers: bootstrapServers().split(','), clientId: 'test', apiTimeoutMs: 10_000 })
    groups = new GroupAdmin(cluster)
  })
  afterAll(() => cluster.close())

  test('knows nothing of a group that never was, and lists none of its offsets', async () => {
    const groupId = uniqueName('g')
    expect(await groups.committedOffsets(groupId)).toEqual([])
    expect(await groups.committedOffsets(groupId, [{ topic: 'any', partition: 0 }])).toEqual([
      { topic: 'any', partition: 0, offset: undefined, leaderEpoch: -1, metadata: '' },
    ])
    expect(await groups.deleteGroup(groupId)).toBe(false)
  })
})
