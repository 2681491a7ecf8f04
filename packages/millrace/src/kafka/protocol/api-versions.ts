/**
 * ApiVersions, versions 0 and 3: which requests a broker understands in which versions, and the features that its cluster
 * has agreed on.
 * @see https://kafka.apache.org/protocol#The_Messages_ApiVersions
 */
import { apiVersionsV0, apiVersionsV3 } from '@platformatic/kafka'
import type { ApiCall, ApiVersion } from './api-call.ts'

/** Arguments of version 3: name and version of the client. Version 0 has none; it is the smallest request that has an answer. */
export const API_VERSIONS: ApiCall = {
  name: 'ApiVersions',
  key: 18,
  versions: { 0: apiVersionsV0.api as ApiVersion, 3: apiVersionsV3.api as ApiVersion },
}

export interface ApiVersionsAnswer {
  readonly errorCode: number
  readonly apiKeys: readonly { readonly apiKey: number; readonly minVersion: number; readonly maxVersion: number }[]
  /** From version 3 on. */
  readonly finalizedFeatures?: readonly { readonly name: string; readonly maxVersionLevel: number }[]
}
