/** DeleteAcls (31): deletes the ACLs that match filters, and reports them. */
import { deleteAclsApi, type DeleteAclsRequest, type DeleteAclsResponse } from '../../protocol/messages/delete-acls.ts'
import { filterOf, NO_AUTHORIZER } from './acls.ts'
import type { Handler } from './handler.ts'

export const deleteAcls: Handler<DeleteAclsRequest, DeleteAclsResponse> = {
  api: deleteAclsApi,
  handle: ({ filters }, { broker: { security } }) => ({
    throttleTimeMs: 0,
    filterResults: filters.map((filter) => {
      if (security.acls === undefined) return { ...NO_AUTHORIZER, matchingAcls: [] }
      const matchingAcls = security.acls
        .remove(filterOf(filter))
        .map((acl) => ({ errorCode: 0, errorMessage: null, ...acl }))
      return { errorCode: 0, errorMessage: null, matchingAcls }
    }),
  }),
  refuse: ({ filters }, errorCode) => ({
    throttleTimeMs: 0,
    filterResults: filters.map(() => ({ errorCode, errorMessage: null, matchingAcls: [] })),
  }),
}
