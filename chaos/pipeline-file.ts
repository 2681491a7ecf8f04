/** The pipeline that a worker runs, in each kind of file: from the input to the output, with a stage that changes values or none. */
import { join } from 'node:path'
import type { Setting } from './settings.ts'
import { toToml } from './toml.ts'

export interface Properties {
  readonly [property: string]: unknown
}

export interface PipelineFacts {
  readonly setting: Setting
  /** Of the process that runs it, unique in the run. */
  readonly worker: string
  readonly bootstrapServers: string
  /** Of the cluster with the output. */
  readonly outputServers: string
  readonly input: string
  readonly output: string
  readonly groupId: string
  /** Further Kafka properties and options of the source and the sink. */
  readonly source: Properties
  readonly sink: Properties
  /** Further top-level keys of a linear file. */
  readonly file: Properties
  /** What a program with the library does beside. */
  readonly program: Partial<LibraryFacts>
  readonly seed: number
}

/** What `programs/library.ts` does. */
export interface LibraryFacts {
  readonly source: Properties
  readonly sink: Properties
  readonly loop: 'batches' | 'records' | 'keys' | 'transactions'
  readonly changesValues: boolean
  /** Probability that the handler of a record throws. */
  readonly mistakes: number
  /** Time that the handler keeps the processor busy with each record. */
  readonly workMs: number
  readonly seed: number
}

export interface PipelineFile {
  readonly suffix: string
  readonly text: string
  /** What runs it; the command line when omitted. */
  readonly program?: string
}

const LIBRARY_PROGRAM = join(import.meta.dirname, 'programs', 'library.ts')

/** `acks` only where the setting has it: the defaults are what users get. */
function acksOf({ acks }: Setting): Properties {
  return acks === 'default' ? {} : { acks }
}

/** Whether a new group begins at the end of its topics, so that what was written before is not read. */
export const BEGINS_AT_END: { readonly [file in Setting['file']]: boolean } = {
  linear: true,
  graph: false,
  bridge: false,
  library: false,
}

export const PIPELINE_FILES: { readonly [file in Setting['file']]: (facts: PipelineFacts) => PipelineFile } = {
  linear: ({ setting, bootstrapServers, outputServers, input, output, groupId, source, sink, file }) =>
    yaml({
      name: 'chaos',
      ...(setting.delivery === 'at_least_once' ? {} : { delivery: setting.delivery }),
      source: { type: 'kafka', options: { topic: input, bootstrapServers, groupId, ...source } },
      stages: setting.stages === 'one' ? [{ $set: { checked: true } }] : [],
      sink: {
        type: 'kafka',
        options: { topic: output, bootstrapServers: outputServers, ...acksOf(setting), ...sink },
      },
      ...file,
    }),

  graph: ({ setting, bootstrapServers, outputServers, input, output, groupId, source, sink }) => {
    const hasStage = setting.stages === 'one'
    const check = {
      id: 'check',
      function: 'map.apply',
      inputs: ['consume'],
      config: { expression: 'true', output_column: 'checked' },
    }
    const text = toToml({
      pipeline: { name: 'chaos' },
      global: { delivery: setting.delivery, execution_mode: 'streaming' },
      stages: [
        {
          id: 'consume',
          function: 'kafka',
          config: { brokers: bootstrapServers, topic: input, group_id: groupId, ...source },
        },
        ...(hasStage ? [check] : []),
        {
          id: 'produce',
          function: 'kafka',
          inputs: [hasStage ? 'check' : 'consume'],
          config: { brokers: outputServers, topic: output, ...acksOf(setting), ...sink },
        },
      ],
    })
    return { suffix: '.toml', text }
  },

  bridge: ({ setting, worker, bootstrapServers, outputServers, input, output, groupId, source, sink }) => {
    // Two with the same transactional id would fence each other.
    const transactions = setting.delivery === 'exactly_once' ? { transactional_id: `${groupId}-${worker}` } : {}
    const from = { brokers: bootstrapServers, topic: input, consumer_group: groupId, ...connectorConfig(source) }
    const to = {
      brokers: outputServers,
      topic: output,
      ...acksOf(setting),
      ...transactions,
      ...connectorConfig(sink),
    }
    return yaml({
      bridges: {
        chaos: {
          source: { connector: 'kafka-source', config: from },
          sink: { connector: 'kafka-sink', config: to },
          ...(setting.stages === 'one' ? { transforms: [{ $set: { checked: true } }] } : {}),
        },
      },
    })
  },

  library: ({
    setting,
    worker,
    bootstrapServers,
    outputServers,
    input,
    output,
    groupId,
    source,
    sink,
    program,
    seed,
  }) => {
    const isTransactional = setting.delivery === 'exactly_once'
    const transactions = isTransactional ? { 'transactional.id': `${groupId}-${worker}` } : {}
    const facts: LibraryFacts = {
      source: { bootstrapServers, topics: input, groupId, ...source },
      // As patient as pipelines are.
      sink: {
        bootstrapServers: outputServers,
        topic: output,
        'delivery.timeout.ms': 120_000,
        retries: 0x7fffffff,
        ...acksOf(setting),
        ...transactions,
        ...sink,
      },
      changesValues: setting.stages === 'one',
      mistakes: 0,
      workMs: 0,
      seed,
      ...program,
      loop: isTransactional ? 'transactions' : (program.loop ?? 'batches'),
    }
    return { suffix: '.json', text: JSON.stringify(facts, undefined, 2), program: LIBRARY_PROGRAM }
  },
}

/** Properties for which connectors have names of their own. */
const CONNECTOR_NAMES: { readonly [property: string]: string } = {
  'auto.commit.interval.ms': 'auto_commit_interval_ms',
  'session.timeout.ms': 'session_timeout_ms',
  'heartbeat.interval.ms': 'heartbeat_interval_ms',
  'request.timeout.ms': 'request_timeout_ms',
  'isolation.level': 'isolation_level',
  'fetch.max.bytes': 'fetch_max_bytes',
  'transactional.id': 'transactional_id',
}

function connectorConfig(options: Properties): Properties {
  const named: [string, unknown][] = []
  const others: [string, unknown][] = []
  for (const [property, value] of Object.entries(options)) {
    const name = CONNECTOR_NAMES[property]
    if (name === undefined) others.push([property, value])
    else named.push([name, value])
  }
  return { ...Object.fromEntries(named), ...(others.length === 0 ? {} : { properties: Object.fromEntries(others) }) }
}

/** JSON is YAML, and files that end so are read as such. */
function yaml(content: Properties): PipelineFile {
  return { suffix: '.yaml', text: JSON.stringify(content, undefined, 2) }
}
