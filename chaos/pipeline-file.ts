/** The pipeline that a worker runs, in the shapes of files: from the input to the output, with a stage that changes values or none. */
import type { Delivery, Lane, Shape } from './setup.ts'

export interface PipelineSettings {
  readonly delivery: Delivery
  readonly lane: Lane
  readonly bootstrapServers: string
  /** Of the cluster with the output. */
  readonly outputServers: string
  readonly input: string
  readonly output: string
  readonly groupId: string
  /** Further options of the source and the sink. */
  readonly source: { readonly [property: string]: unknown }
  readonly sink: { readonly [property: string]: unknown }
}

/** Content of a file, by shape. */
export const PIPELINES: {
  readonly [shape in Shape]: (settings: PipelineSettings) => { readonly [key: string]: unknown }
} = {
  linear: ({ delivery, lane, bootstrapServers, outputServers, input, output, groupId, source, sink }) => ({
    name: 'chaos',
    delivery,
    source: {
      type: 'kafka',
      options: { topic: input, bootstrapServers, groupId, 'auto.offset.reset': 'earliest', ...source },
    },
    stages: lane === 'documents' ? [{ $set: { checked: true } }] : [],
    sink: { type: 'kafka', options: { topic: output, bootstrapServers: outputServers, acks: 'all', ...sink } },
  }),

  graph: ({ delivery, lane, bootstrapServers, outputServers, input, output, groupId, source, sink }) => {
    const isDocuments = lane === 'documents'
    const check = {
      id: 'check',
      function: 'map.apply',
      inputs: ['consume'],
      config: { expression: 'true', output_column: 'checked' },
    }
    return {
      pipeline: { name: 'chaos' },
      global: { delivery, execution_mode: 'streaming' },
      stages: [
        {
          id: 'consume',
          function: 'kafka',
          config: { brokers: bootstrapServers, topic: input, group_id: groupId, ...source },
        },
        ...(isDocuments ? [check] : []),
        {
          id: 'produce',
          function: 'kafka',
          inputs: [isDocuments ? 'check' : 'consume'],
          config: { brokers: outputServers, topic: output, ...sink },
        },
      ],
    }
  },
}
