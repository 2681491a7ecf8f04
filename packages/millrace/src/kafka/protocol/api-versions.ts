/**
 * ApiVersions, versions 0 to 3: which requests a broker understands in which versions, and the features that its cluster has
 * agreed on. Version 0 is the smallest request that has an answer.
 * @see https://kafka.apache.org/protocol#The_Messages_ApiVersions
 */
import { apiVersionsApi } from '../../protocol/messages/api-versions.ts'
import { apiCall } from './api-call.ts'

export const API_VERSIONS = apiCall(apiVersionsApi, 0, 3)
