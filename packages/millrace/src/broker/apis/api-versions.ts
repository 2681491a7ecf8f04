/** ApiVersions (18): what this broker speaks, and the features of the cluster (KIP-511, KIP-584). */
import { ERROR } from '../../protocol/error-codes.ts'
import {
  apiVersionsApi,
  type ApiVersionsRequest,
  type ApiVersionsResponse,
} from '../../protocol/messages/api-versions.ts'
import type { Handler } from './handler.ts'
import { SUPPORTED } from './supported.ts'

const SOFTWARE = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

export const apiVersions: Handler<ApiVersionsRequest, ApiVersionsResponse> = {
  api: apiVersionsApi,
  handle(request, call) {
    const { clientSoftwareName: name, clientSoftwareVersion: version } = request
    if (call.version >= 3 && !(SOFTWARE.test(name) && SOFTWARE.test(version)))
      return apiVersions.refuse(request, ERROR.INVALID_REQUEST, call)
    const { features } = call.broker
    return {
      errorCode: 0,
      apiKeys: SUPPORTED.map(({ key, min, max, announcedMin }) => ({
        apiKey: key,
        minVersion: announcedMin ?? min,
        maxVersion: max,
      })),
      supportedFeatures: features.map(({ name: feature, min, max }) => ({
        name: feature,
        minVersion: min,
        maxVersion: max,
      })),
      finalizedFeaturesEpoch: 1,
      finalizedFeatures: features.map(({ name: feature, level }) => ({
        name: feature,
        minVersionLevel: level,
        maxVersionLevel: level,
      })),
    }
  },
  refuse: (_request, errorCode) => ({ errorCode, apiKeys: [] }),
}
