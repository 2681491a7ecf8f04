/**
 * Where a component may stand, and how a pipeline file uses it.
 */
import type { ErrorCode } from '../errors/codes.ts'
import { KAFKA_CONNECTORS } from '../dialects/connectors/fields.ts'
import { LINE_FUNCTIONS } from '../functions/in-line.ts'
import type { ListedComponent } from './components.ts'

const AMONG_TRANSFORMS = 'connector files, under `transforms`'

/** In which shapes of files it may be used, as the rest of a sentence. */
export function placesOf({ kind, role, name }: ListedComponent): readonly string[] {
  switch (kind) {
    case 'source':
    case 'sink': {
      const linear = `linear files, as \`${kind}\``
      // Kafka connectors have a component of their own.
      const isElsewhere = (KAFKA_CONNECTORS[kind] as readonly string[]).includes(name)
      return isElsewhere ? [linear] : [linear, `connector files, as \`connector: ${name}\` of a ${kind}`]
    }
    case 'connector':
      return [`connector files, under \`${role}s\` or as the ${role} of a bridge; also alone in a file`]
    case 'stage':
      return [
        'linear files, under `stages`',
        'stage graphs, as the `function` of a stage, with its options as `config`',
        AMONG_TRANSFORMS,
      ]
    case 'function': {
      const isStage = role === 'transform' && LINE_FUNCTIONS.some((one) => one.name === name)
      const elsewhere = [`linear files, under \`stages\`: \`- ${name}: {...}\``, AMONG_TRANSFORMS]
      return ['stage graphs, as the `function` of a stage', ...(isStage ? elsewhere : [])]
    }
  }
}

/** A whole pipeline file with it, in YAML, but for what stands around a stage. */
export async function usageOf(component: ListedComponent, options: unknown): Promise<string> {
  const { stringify } = await import('yaml')
  return stringify(contentOf(component, options)).trimEnd()
}

function contentOf({ kind, role, name }: ListedComponent, options: unknown): unknown {
  switch (kind) {
    case 'source':
    case 'sink':
      return { [kind]: { type: name, options } }
    case 'connector':
      return {
        broker: { bootstrap_servers: ['localhost:9092'] },
        [`${role}s`]: {
          orders: {
            connector: name,
            ...(role === 'source' ? { topic: 'order-events' } : { topics: ['order-events'], consumer_group: 'orders' }),
            config: options,
          },
        },
      }
    case 'stage':
      return { stages: [{ [name]: options }] }
    case 'function': {
      const inputs = role === 'source' ? {} : { inputs: ['before'] }
      return { stages: [{ id: name.replaceAll(/\W/g, '-'), function: name, ...inputs, config: options }] }
    }
  }
}

const CLUSTER = ['BROKER_UNREACHABLE', 'AUTHENTICATION_FAILED', 'TOPIC_NOT_FOUND'] as const

/** Errors that its users should know, by what it works with. */
export function errorsOf({ role, name, options }: ListedComponent): readonly ErrorCode[] {
  const isKafka = 'bootstrapServers' in options || 'brokers' in options
  const isFile = 'path' in options && role !== 'transform'
  switch (role) {
    case 'source':
      if (isKafka)
        return [
          ...CLUSTER,
          'OFFSET_OUT_OF_RANGE',
          'RECORD_CORRUPT',
          'RECORD_BATCH_TOO_LARGE',
          'GROUP_FAILED',
          'MEMBER_FENCED',
        ]
      return isFile ? ['FILE_UNREADABLE', 'DECODE_FAILED'] : []
    case 'sink':
      if (isKafka) return [...CLUSTER, 'RECORD_TOO_LARGE', 'DELIVERY_FAILED', 'DELIVERY_TIMED_OUT', 'PRODUCER_FENCED']
      return isFile ? ['FILE_UNWRITABLE', 'ENCODE_FAILED'] : []
    case 'transform':
      return COUNTING.has(name) ? [] : ['STAGE_FAILED']
  }
}

/** Stages that look at no value, so that none can be wrong. */
const COUNTING: ReadonlySet<string> = new Set(['$limit', '$skip', '$sampleRate'])
