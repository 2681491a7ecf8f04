/** Which protocol, that is which assignor, a classic group uses: one that all members propose, and most prefer. */
import type { Member, Protocol } from './member.ts'

/** The protocol type of groups of consumers. */
export const CONSUMERS = 'consumer'

/** Whether a member with these protocols may join: it has something in common with all members. */
export function supportsProtocols(
  members: readonly Member[],
  groupType: string,
  type: string,
  protocols: readonly Protocol[],
): boolean {
  if (type === '' || protocols.length === 0) return false
  if (members.length === 0) return true
  const common = commonProtocols(members)
  return type === groupType && protocols.some(({ name }) => common.has(name))
}

function commonProtocols(members: readonly Member[]): Set<string> {
  const [first, ...others] = members
  const names = (first?.protocols ?? []).map(({ name }) => name)
  return new Set(
    names.filter((name) => others.every(({ protocols }) => protocols.some((protocol) => protocol.name === name))),
  )
}

/** Each member votes for the first of its protocols that all have. */
export function selectProtocol(members: readonly Member[]): string {
  const common = commonProtocols(members)
  const votes = new Map<string, number>()
  for (const { protocols } of members) {
    const choice = protocols.find(({ name }) => common.has(name))
    if (choice !== undefined) votes.set(choice.name, (votes.get(choice.name) ?? 0) + 1)
  }
  return [...votes].toSorted((a, b) => b[1] - a[1])[0]?.[0] ?? ''
}
