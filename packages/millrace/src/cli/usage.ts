/**
 * Where a component may stand, and how a pipeline file uses it.
 */
import type { ListedComponent } from './components.ts'

/** In which shapes of files it may be used, as the rest of a sentence. */
export function placesOf({ kind, role, name }: ListedComponent): readonly string[] {
  switch (kind) {
    case 'source':
    case 'sink': {
      const linear = `linear files, as \`${kind}\``
      return name === 'kafka' ? [linear] : [linear, `files of connectors, as \`connector: ${name}\` of a ${kind}`]
    }
    case 'connector':
      return [`files of connectors, under \`${role}s\` or as the ${role} of a bridge, and a file of its own`]
    case 'stage':
      return ['linear files, in the list of `stages`']
    case 'function':
      return ['stage graphs, as `function` of a stage']
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
