/** DescribeAcls (29): ACLs that match a filter, by resource. */
import {
  describeAclsApi,
  type DescribeAclsRequest,
  type DescribeAclsResponse,
} from '../../protocol/messages/describe-acls.ts'
import { filterOf, NO_AUTHORIZER } from './acls.ts'
import type { Handler } from './handler.ts'

export const describeAcls: Handler<DescribeAclsRequest, DescribeAclsResponse> = {
  api: describeAclsApi,
  handle(request, { broker: { security } }) {
    if (security.acls === undefined) return { throttleTimeMs: 0, ...NO_AUTHORIZER, resources: [] }
    const found = Map.groupBy(security.acls.find(filterOf(request)), ({ resourceType, resourceName, patternType }) =>
      JSON.stringify([resourceType, resourceName, patternType]),
    )
    return {
      throttleTimeMs: 0,
      errorCode: 0,
      errorMessage: null,
      resources: [...found.values()].map((acls) => {
        const { resourceType, resourceName, patternType } = acls[0]!
        return { resourceType, resourceName, patternType, acls }
      }),
    }
  },
  refuse: (_request, errorCode) => ({ throttleTimeMs: 0, errorCode, errorMessage: null, resources: [] }),
}
