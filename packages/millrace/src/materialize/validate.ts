/** The answer to `validate`: whether brokers and registry can be reached, and what may be materialized. */
import { ProtocolViolationError } from '../errors/index.ts'
import { parseEndpointConfig, parseResource } from './config.ts'
import { constraintOf } from './constraints.ts'
import { openCluster } from './kafka.ts'
import {
  type CollectionSpec,
  collectionOf,
  type MaterializationSpec,
  type Response,
  type ValidateBinding,
  type ValidatedBinding,
  type ValidateRequest,
} from './messages.ts'
import { checkRegistry, requireRegistry } from './registry.ts'
import { inContext } from './with-context.ts'

const TIMEOUT_MS = 60_000

/** How the runtime shortens values before it sends them. */
const SER_POLICY = { strTruncateAfter: 65_536, nestedObjTruncateAfter: 1000, arrayTruncateAfter: 1000 }

const CANNOT_CONNECT =
  'Could not connect to bootstrap server with the provided configuration. This may be due to an incorrect configuration for authentication or bootstrap servers. Double check your configuration and try again.'

/** @throws {ConfigError} {ConnectionError} {ProtocolViolationError} */
export async function validate(request: ValidateRequest): Promise<Response> {
  const config = parseEndpointConfig(request.config)
  requireRegistry(config)
  const cluster = await openCluster(config)
  try {
    await inContext(CANNOT_CONNECT, () => cluster.connect(undefined, TIMEOUT_MS))
  } finally {
    await cluster.close()
  }
  if (config.schemaRegistry !== undefined) await checkRegistry(config.schemaRegistry)
  const { bindings = [], linkedCollections = [] } = request
  if (bindings.length === 0) return { validated: {} }
  return {
    validated: {
      bindings: bindings.map((binding, i) =>
        validateBinding(binding, i, linkedCollections, request.lastMaterialization),
      ),
    },
  }
}

function validateBinding(
  binding: ValidateBinding,
  index: number,
  linked: readonly CollectionSpec[],
  last: MaterializationSpec | undefined,
): ValidatedBinding {
  const topic = parseResource(binding.resourceConfig)
  const { projections = [] } = collectionOf(binding, linked) ?? noCollection(index)
  const before = last?.bindings?.find(({ resourcePath }) => resourcePath?.[0] === topic)?.fieldSelection
  return {
    resourcePath: [topic],
    deltaUpdates: true,
    serPolicy: SER_POLICY,
    projectionConstraints: projections.map((projection) => ({
      field: projection.field ?? '',
      constraint: constraintOf(projection, before),
    })),
  }
}

function noCollection(index: number): never {
  throw new ProtocolViolationError(`Cannot validate binding ${index} as it has no collection`)
}
