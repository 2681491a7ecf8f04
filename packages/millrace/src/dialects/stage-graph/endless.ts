/** Stages that wait for an end that does not come. */
import type { ConfigProblem } from '../../errors/index.ts'
import { definitionOf } from './delivery.ts'
import type { PlacedNode } from './order.ts'

/** A warning for each stage that passes on nothing before all rows are there, behind a source that never ends. */
export function endlessWarnings(nodes: readonly PlacedNode[]): ConfigProblem[] {
  const endless = nodes.filter((node) => {
    const definition = definitionOf(node)
    return definition?.kind === 'source' && definition.isEndless?.(node.options) === true
  })
  return nodes.flatMap((node) => {
    if (definitionOf(node)?.waitsForEnd?.(node.options) !== true) return []
    const source = endless.find(({ id }) => isBefore(id, node, nodes))
    if (source === undefined) return []
    return {
      path: node.path,
      message: `Stage "${node.id}" passes on nothing before all rows are there, and "${source.id}" never ends`,
      suggestion:
        node.kind === 'sink'
          ? 'use stdout_stream.write or kafka, or run with --until-end'
          : 'use aggregate.stream or window.apply, or run with --until-end',
    }
  })
}

function isBefore(id: string, node: PlacedNode, nodes: readonly PlacedNode[]): boolean {
  const seen = new Set<string>()
  const look = [...node.inputs]
  for (let input = look.pop(); input !== undefined; input = look.pop()) {
    if (input === id) return true
    if (seen.has(input)) continue
    seen.add(input)
    look.push(...(nodes.find((other) => other.id === input)?.inputs ?? []))
  }
  return false
}
