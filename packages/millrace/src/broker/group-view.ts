import type { Group } from './groups/coordinator.ts'

/** What a test can see of a group. */
export interface GroupView {
  /** Name of the group. */
  readonly id: string
  /** The protocol of its members. */
  readonly kind: Group['kind']
  /** Such as `Stable` or `Empty`. */
  readonly state: Group['state']
  /** Generation, or epoch of the group with the consumer protocol. */
  readonly generationId: number
  /** Empty for a group without members. */
  readonly members: readonly {
    readonly memberId: string
    readonly groupInstanceId: string | null
    readonly clientId: string
  }[]
  /** What the group has committed. */
  readonly offsets: readonly {
    readonly topic: string
    readonly partition: number
    readonly offset: bigint
    readonly metadata: string
  }[]
}

export function viewGroup(group: Group): GroupView {
  const { id, kind, state, offsets } = group
  const members =
    group.kind === 'classic'
      ? [...group.members.values()].map((member) => ({
          memberId: member.id,
          groupInstanceId: member.instanceId,
          clientId: member.clientId,
        }))
      : [...group.members.values()].map(({ memberId, instanceId, clientId }) => ({
          memberId,
          groupInstanceId: instanceId,
          clientId,
        }))
  return {
    id,
    kind,
    state,
    generationId: group.kind === 'classic' ? group.generationId : group.epoch,
    members,
    offsets: offsets.all().flatMap(({ topic, partitions }) =>
      partitions.map((partition) => {
        const { offset, metadata } = offsets.get(topic, partition)!
        return { topic, partition, offset: BigInt(offset), metadata }
      }),
    ),
  }
}
