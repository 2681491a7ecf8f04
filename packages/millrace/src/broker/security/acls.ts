/**
 * ACLs, as Kafka's `StandardAuthorizer` follows them: what is denied is denied, whatever else is allowed; without an ACL that
 * allows it, nothing is.
 *
 * A pattern is a literal name, `*` for all names, or a prefix.
 *
 * @see https://kafka.apache.org/documentation/#security_authz
 */
import type { Store } from '../storage/store.ts'
import { type Action, IMPLIED_BY, type Operation, OPERATIONS, RESOURCE_TYPES } from './authorizer.ts'
import type { BrokerAcls } from './options.ts'

/** Numbers of pattern types, of which the first two only occur in filters. */
export const PATTERN = { any: 1, match: 2, literal: 3, prefixed: 4 } as const
export const PERMISSION = { any: 1, deny: 2, allow: 3 } as const
/** Number of an operation or a resource type in a filter that asks for all. */
export const ANY = 1
const ALL = 2

export interface Acl {
  readonly resourceType: number
  readonly resourceName: string
  readonly patternType: number
  readonly principal: string
  readonly host: string
  readonly operation: number
  readonly permissionType: number
}

/** Null and `any` match everything. */
export type AclFilter = { readonly [name in keyof Acl]: Acl[name] extends string ? string | null : number }

/** Kind of entries in the journal. */
export const ACL_ENTRIES = 'acl'

export class Acls {
  readonly #options: BrokerAcls
  readonly #store: Store
  readonly #acls = new Map<string, Acl>()

  constructor(options: BrokerAcls, store: Store) {
    this.#options = options
    this.#store = store
  }

  /** Takes over what was kept. */
  restore(acl: Acl): void {
    this.#acls.set(keyOf(acl), acl)
  }

  add(acl: Acl): void {
    const key = keyOf(acl)
    this.#store.record({ is: 'entry', kind: ACL_ENTRIES, key, value: acl })
    this.#acls.set(key, acl)
  }

  find(filter: AclFilter): Acl[] {
    return [...this.#acls.values()].filter((acl) => matches(filter, acl))
  }

  remove(filter: AclFilter): Acl[] {
    const found = this.find(filter)
    for (const acl of found) {
      const key = keyOf(acl)
      this.#store.record({ is: 'entry', kind: ACL_ENTRIES, key, value: null })
      this.#acls.delete(key)
    }
    return found
  }

  readonly authorize = (action: Action): boolean => {
    const { superUsers = [], allowIfNoAcl = false } = this.#options
    if (superUsers.includes(action.principal)) return true
    const resourceType = RESOURCE_TYPES.indexOf(action.resourceType)
    const ofResource = [...this.#acls.values()].filter(
      (acl) => acl.resourceType === resourceType && covers(acl, action.resourceName),
    )
    if (ofResource.length === 0) return allowIfNoAcl
    const ofClient = ofResource.filter(
      ({ principal, host }) =>
        (principal === action.principal || principal === 'User:*') && (host === '*' || host === action.host),
    )
    const has = (permission: number, operations: readonly Operation[]): boolean =>
      ofClient.some(
        ({ permissionType, operation }) =>
          permissionType === permission && (operation === ALL || operations.includes(OPERATIONS[operation]!)),
      )
    if (has(PERMISSION.deny, [action.operation])) return false
    return has(PERMISSION.allow, [action.operation, ...(IMPLIED_BY[action.operation] ?? [])])
  }
}

function keyOf(acl: Acl): string {
  const { resourceType, patternType, resourceName, principal, host, operation, permissionType } = acl
  return JSON.stringify([resourceType, patternType, resourceName, principal, host, operation, permissionType])
}

/** Whether the pattern of an ACL covers a name. */
function covers({ patternType, resourceName }: Acl, name: string): boolean {
  if (patternType === PATTERN.prefixed) return name.startsWith(resourceName)
  return resourceName === name || resourceName === '*'
}

function matches(filter: AclFilter, acl: Acl): boolean {
  const isAny = (wanted: number, value: number): boolean => wanted === ANY || wanted === value
  const isName = (wanted: string | null, value: string): boolean => wanted === null || wanted === value
  return (
    isAny(filter.resourceType, acl.resourceType) &&
    isAny(filter.operation, acl.operation) &&
    isAny(filter.permissionType, acl.permissionType) &&
    isName(filter.principal, acl.principal) &&
    isName(filter.host, acl.host) &&
    matchesPattern(filter, acl)
  )
}

function matchesPattern({ patternType, resourceName }: AclFilter, acl: Acl): boolean {
  if (patternType === PATTERN.match) return resourceName === null || covers(acl, resourceName)
  if (patternType !== PATTERN.any && patternType !== acl.patternType) return false
  return resourceName === null || resourceName === acl.resourceName
}
