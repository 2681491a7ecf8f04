/** DescribeCluster (60): the nodes and the id of the cluster (KIP-700). */
import { ERROR } from '../../protocol/error-codes.ts'
import {
  describeClusterApi,
  type DescribeClusterRequest,
  type DescribeClusterResponse,
} from '../../protocol/messages/describe-cluster.ts'
import type { Handler } from './handler.ts'
import { CLUSTER_NAME } from '../security/authorizer.ts'
import { authorizedOperations } from './topics.ts'

const BROKERS = 1

export const describeCluster: Handler<DescribeClusterRequest, DescribeClusterResponse> = {
  api: describeClusterApi,
  handle(request, call) {
    // Controllers are asked at an address of their own, which there is not.
    if (request.endpointType !== BROKERS) return describeCluster.refuse(request, ERROR.MISMATCHED_ENDPOINT_TYPE, call)
    const { cluster } = call.broker
    return {
      throttleTimeMs: 0,
      errorCode: 0,
      clusterId: cluster.id,
      controllerId: cluster.controller,
      brokers: cluster.running.map(({ id, host, port }) => ({ brokerId: id, host, port })),
      clusterAuthorizedOperations: authorizedOperations(
        request.includeClusterAuthorizedOperations,
        'Cluster',
        CLUSTER_NAME,
        call,
      ),
    }
  },
  refuse: (_request, errorCode) => ({ throttleTimeMs: 0, errorCode, clusterId: '', brokers: [] }),
}
