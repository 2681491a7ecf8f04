/**
 * The text of an Avro schema that is registered: its parsing canonical form as the original prints it.
 *
 * Attributes are in the order name, type, fields, items, values, size; names are full. Of a logical type, a wrapper remains:
 * `{"type":"long"}`. A duration is a named type: the first one of a namespace defines it, the others name it.
 */
import type { AvroSchema } from './schema.ts'

export function canonicalForm(schema: AvroSchema): string {
  return new Printer().print(schema, '')
}

class Printer {
  /** Namespaces in which `duration` is defined. */
  readonly #durations = new Set<string>()

  /** @param namespace of the record around it */
  print(schema: AvroSchema, namespace: string): string {
    switch (schema.kind) {
      case 'null':
      case 'boolean':
      case 'long':
      case 'double':
      case 'string':
        return `"${schema.kind}"`
      case 'date':
        return '{"type":"int"}'
      case 'timestamp':
        return '{"type":"long"}'
      case 'uuid':
        return '{"type":"string"}'
      case 'duration':
        if (this.#durations.has(namespace)) return '"duration"'
        this.#durations.add(namespace)
        return '{"type":{"name":"duration","type":"fixed","size":12}}'
      case 'raw':
        return `{"name":${JSON.stringify(schema.name)},"type":"record","fields":[{"name":"json","type":"string"}]}`
      case 'array':
        return `{"type":"array","items":${this.print(schema.items, namespace)}}`
      case 'map':
        return `{"type":"map","values":${this.print(schema.values, namespace)}}`
      case 'nullable':
        return `[${this.print(schema.value, namespace)},"null"]`
      case 'record': {
        const own = schema.name.slice(0, Math.max(0, schema.name.lastIndexOf('.')))
        const fields = schema.fields.map(
          ({ name, schema: of }) => `{"name":${JSON.stringify(name)},"type":${this.print(of, own)}}`,
        )
        return `{"name":${JSON.stringify(schema.name)},"type":"record","fields":[${fields.join(',')}]}`
      }
    }
  }
}
