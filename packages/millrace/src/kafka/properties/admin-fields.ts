/** Properties of administrators; `cluster-fields.ts` says how such a table is read. */
import { CLUSTER_FIELDS } from './cluster-fields.ts'
import { CONSUMER_FIELDS } from './consumer-fields.ts'

export const ADMIN_FIELDS = { ...CLUSTER_FIELDS, apiTimeoutMs: CONSUMER_FIELDS.apiTimeoutMs }
