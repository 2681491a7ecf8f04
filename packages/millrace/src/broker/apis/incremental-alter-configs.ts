/** IncrementalAlterConfigs (44): changes single settings of a topic, a broker or a group (KIP-339). */
import { ERROR } from '../../protocol/error-codes.ts'
import {
  incrementalAlterConfigsApi,
  type IncrementalAlterConfigsRequest,
  type IncrementalAlterConfigsResponse,
} from '../../protocol/messages/incremental-alter-configs.ts'
import { type Configs, listOf } from '../cluster/config-definitions.ts'
import { isRefusal, type Refusal } from '../log/check-batch.ts'
import { configResource, configsProblem, definitionOf, TOPIC } from './config-resources.ts'
import type { Handler } from './handler.ts'

const SET = 0
const DELETE = 1
const APPEND = 2
const SUBTRACT = 3

export const incrementalAlterConfigs: Handler<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse> = {
  api: incrementalAlterConfigsApi,
  handle: ({ resources, validateOnly }, { broker }) => ({
    throttleTimeMs: 0,
    responses: resources.map(({ resourceType, resourceName, configs }) => {
      const resource = configResource(broker, resourceType, resourceName)
      const applied = apply(resourceType, isRefusal(resource) ? NO_CONFIGS : resource.configs, configs)
      // Settings that are not valid are found before the topic is looked for.
      const changed = isRefusal(applied) || !isRefusal(resource) ? applied : resource
      if (isRefusal(changed))
        return { errorCode: changed.errorCode, errorMessage: changed.message, resourceType, resourceName }
      if (!isRefusal(resource) && !validateOnly) resource.replace(changed)
      return { errorCode: 0, errorMessage: null, resourceType, resourceName }
    }),
  }),
  refuse: ({ resources }, errorCode) => ({
    throttleTimeMs: 0,
    responses: resources.map(({ resourceType, resourceName }) => ({
      errorCode,
      errorMessage: null,
      resourceType,
      resourceName,
    })),
  }),
  subjects: ({ resources }) => ({
    topics: resources
      .filter(({ resourceType }) => resourceType === TOPIC)
      .map(({ resourceName }) => ({ name: resourceName, partitions: [] })),
  }),
}

interface Change {
  readonly name: string
  readonly configOperation: number
  readonly value: string | null
}

const NO_CONFIGS: Configs = new Map()

function apply(type: number, present: Configs, changes: readonly Change[]): Configs | Refusal {
  const configs = new Map(present)
  const names = new Set(changes.map(({ name }) => name))
  if (names.size < changes.length)
    return { errorCode: ERROR.INVALID_REQUEST, message: 'Error due to duplicate config keys' }
  for (const { name, configOperation, value } of changes) {
    if (configOperation === DELETE) {
      configs.delete(name)
      continue
    }
    if (value === null) return { errorCode: ERROR.INVALID_REQUEST, message: `Null value not supported for : ${name}` }
    if (configOperation === SET) configs.set(name, value)
    else {
      const definition = definitionOf(type, name)
      if (configOperation !== APPEND && configOperation !== SUBTRACT)
        return { errorCode: ERROR.INVALID_REQUEST, message: `Unknown operation type ${configOperation}` }
      if (definition?.type !== 'list') {
        const operation = configOperation === APPEND ? 'APPEND' : 'SUBTRACT'
        return {
          errorCode: ERROR.INVALID_CONFIG,
          message: `Can't ${operation} to key ${name} because its type is not LIST.`,
        }
      }
      const list = listOf(configs.get(name) ?? definition.default)
      const parts = listOf(value)
      const changed =
        configOperation === APPEND
          ? [...list, ...parts.filter((part) => !list.includes(part))]
          : list.filter((part) => !parts.includes(part))
      configs.set(name, changed.join(','))
    }
  }
  return configsProblem(type, configs) ?? configs
}
