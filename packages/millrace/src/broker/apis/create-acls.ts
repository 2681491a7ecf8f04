/** CreateAcls (30). An ACL that exists is created again without an error. */
import { ERROR } from '../../protocol/error-codes.ts'
import { createAclsApi, type CreateAclsRequest, type CreateAclsResponse } from '../../protocol/messages/create-acls.ts'
import { type Acl, ANY, PATTERN, PERMISSION } from '../security/acls.ts'
import { CLUSTER_NAME, OPERATIONS, RESOURCE_TYPES } from '../security/authorizer.ts'
import { NO_AUTHORIZER } from './acls.ts'
import type { Handler } from './handler.ts'

export const createAcls: Handler<CreateAclsRequest, CreateAclsResponse> = {
  api: createAclsApi,
  handle: ({ creations }, { broker: { security } }) => ({
    throttleTimeMs: 0,
    results: creations.map(({ resourcePatternType: patternType, ...creation }) => {
      if (security.acls === undefined) return NO_AUTHORIZER
      const acl = { ...creation, patternType }
      const errorMessage = problemOf(acl)
      if (errorMessage !== undefined) return { errorCode: ERROR.INVALID_REQUEST, errorMessage }
      security.acls.add(acl)
      return { errorCode: 0, errorMessage: null }
    }),
  }),
  refuse: ({ creations }, errorCode) => ({
    throttleTimeMs: 0,
    results: creations.map(() => ({ errorCode, errorMessage: null })),
  }),
}

function problemOf({
  resourceType,
  resourceName,
  patternType,
  operation,
  permissionType,
  principal,
}: Acl): string | undefined {
  if (resourceType <= ANY || RESOURCE_TYPES[resourceType] === undefined) return `Invalid resourceType ${resourceType}`
  if (patternType !== PATTERN.literal && patternType !== PATTERN.prefixed) return `Invalid patternType ${patternType}`
  if (operation <= ANY || OPERATIONS[operation] === undefined) return `Invalid operation ${operation}`
  if (permissionType !== PERMISSION.allow && permissionType !== PERMISSION.deny)
    return `Invalid permissionType ${permissionType}`
  if (RESOURCE_TYPES[resourceType] === 'Cluster' && resourceName !== CLUSTER_NAME)
    return `The only valid name for the CLUSTER resource is ${CLUSTER_NAME}`
  if (resourceName === '') return 'Resource name should not be empty'
  return principal.includes(':')
    ? undefined
    : `Could not parse principal from \`${principal}\` (no colon is present separating the principal type from the principal name)`
}
