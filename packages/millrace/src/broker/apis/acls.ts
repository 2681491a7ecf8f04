/** What the APIs about ACLs share. */
import { ERROR } from '../../protocol/error-codes.ts'
import type { AclFilter } from '../security/acls.ts'

/** Of a broker that has no ACLs. */
export const NO_AUTHORIZER = {
  errorCode: ERROR.SECURITY_DISABLED,
  errorMessage: 'No Authorizer is configured on the broker.',
}

/** A filter as requests have it. */
export interface WireFilter {
  readonly resourceTypeFilter: number
  readonly resourceNameFilter: string | null
  readonly patternTypeFilter: number
  readonly principalFilter: string | null
  readonly hostFilter: string | null
  readonly operation: number
  readonly permissionType: number
}

export function filterOf(filter: WireFilter): AclFilter {
  return {
    resourceType: filter.resourceTypeFilter,
    resourceName: filter.resourceNameFilter,
    patternType: filter.patternTypeFilter,
    principal: filter.principalFilter,
    host: filter.hostFilter,
    operation: filter.operation,
    permissionType: filter.permissionType,
  }
}
