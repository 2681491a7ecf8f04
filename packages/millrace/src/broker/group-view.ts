import type { ClassicGroup } from './groups/classic-group.ts'
import type { GroupState } from './groups/states.ts'

/** What a test can see of a group. */
export interface GroupView {
  readonly id: string
  readonly state: GroupState
  readonly generationId: number
  readonly members: readonly {
    readonly memberId: string
    readonly groupInstanceId: string | null
    readonly clientId: string
  }[]
  readonly offsets: readonly {
    readonly topic: string
    readonly partition: number
    readonly offset: bigint
    readonly metadata: string
  }[]
}

export function viewGroup({ id, state, generationId, members, offsets }: ClassicGroup): GroupView {
  return {
    id,
    state,
    generationId,
    members: [...members.values()].map((member) => ({
      memberId: member.id,
      groupInstanceId: member.instanceId,
      clientId: member.clientId,
    })),
    offsets: offsets.all().flatMap(({ topic, partitions }) =>
      partitions.map((partition) => {
        const { offset, metadata } = offsets.get(topic, partition)!
        return { topic, partition, offset: BigInt(offset), metadata }
      }),
    ),
  }
}
