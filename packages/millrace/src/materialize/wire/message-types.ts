/**
 * The messages of Flow's materialization protocol that the connector reads or writes: protobuf tags, types and names.
 *
 * One table for both codecs. The names are those of the JSON mapping. Fields that are not listed are skipped by the
 * readers, as a newer runtime may send more.
 *
 * @see https://github.com/estuary/flow/blob/master/go/protocols/materialize/materialize.proto
 */

/** Types of single values. `json` is JSON text in protobuf, and inline in JSON. 64-bit integers are strings of digits. */
type Scalar = 'string' | 'bool' | 'uint32' | 'fixed32' | 'int64' | 'fixed64' | 'double' | 'bytes' | 'json'

export type EnumName = keyof typeof ENUMS
export type MessageName = keyof typeof MESSAGES

/** Tag, type, and whether it is there several times, or by name. */
export type FieldSpec = readonly [tag: number, type: string, shape?: 'list' | 'map']

/** Of fields of newer runtimes whose tag is not published: they are read in JSON only, where they have a name. */
export const UNPUBLISHED_TAG = 0

export const ENUMS = {
  ConnectorType: { INVALID: 0, IMAGE: 8, LOCAL: 9, DEKAF: 10 },
  ConstraintType: {
    INVALID: 0,
    FIELD_REQUIRED: 1,
    LOCATION_REQUIRED: 2,
    LOCATION_RECOMMENDED: 3,
    FIELD_OPTIONAL: 4,
    FIELD_FORBIDDEN: 5,
    INCOMPATIBLE: 6,
    UNSATISFIABLE: 7,
  },
  Exists: { INVALID: 0, MUST: 1, MAY: 2, IMPLICIT: 3, CANNOT: 4 },
} as const

export const MESSAGES = {
  Request: {
    spec: [1, 'SpecRequest'],
    validate: [2, 'ValidateRequest'],
    apply: [3, 'ApplyRequest'],
    open: [4, 'OpenRequest'],
    load: [5, 'LoadRequest'],
    flush: [6, 'FlushRequest'],
    store: [7, 'StoreRequest'],
    startCommit: [8, 'StartCommitRequest'],
    acknowledge: [9, 'AcknowledgeRequest'],
  },
  SpecRequest: { connectorType: [1, 'ConnectorType'], config: [2, 'json'] },
  ValidateRequest: {
    name: [1, 'string'],
    connectorType: [2, 'ConnectorType'],
    config: [3, 'json'],
    bindings: [4, 'ValidateBinding', 'list'],
    lastMaterialization: [5, 'MaterializationSpec'],
    lastVersion: [6, 'string'],
    linkedCollections: [7, 'CollectionSpec', 'list'],
  },
  ValidateBinding: {
    resourceConfig: [1, 'json'],
    collection: [2, 'CollectionSpec'],
    fieldConfig: [3, 'json', 'map'],
    backfill: [4, 'uint32'],
    groupBy: [5, 'string', 'list'],
    collectionIndex: [6, 'uint32'],
  },
  ApplyRequest: {
    materialization: [1, 'MaterializationSpec'],
    version: [2, 'string'],
    lastMaterialization: [4, 'MaterializationSpec'],
    lastVersion: [5, 'string'],
    state: [6, 'json'],
  },
  OpenRequest: {
    materialization: [1, 'MaterializationSpec'],
    version: [2, 'string'],
    range: [3, 'RangeSpec'],
    state: [4, 'json'],
  },
  RangeSpec: {
    keyBegin: [2, 'fixed32'],
    keyEnd: [3, 'fixed32'],
    rClockBegin: [4, 'fixed32'],
    rClockEnd: [5, 'fixed32'],
  },
  LoadRequest: { binding: [1, 'uint32'], key: [2, 'json'], keyPacked: [3, 'bytes'] },
  FlushRequest: { statePatches: [1, 'json'] },
  StoreRequest: {
    binding: [1, 'uint32'],
    key: [2, 'json'],
    keyPacked: [3, 'bytes'],
    values: [4, 'json'],
    valuesPacked: [5, 'bytes'],
    doc: [6, 'json'],
    exists: [7, 'bool'],
    delete: [8, 'bool'],
  },
  StartCommitRequest: { runtimeCheckpoint: [1, 'Checkpoint'], statePatches: [2, 'json'] },
  AcknowledgeRequest: { statePatches: [1, 'json'] },

  CollectionSpec: {
    name: [1, 'string'],
    key: [3, 'string', 'list'],
    uuidPtr: [4, 'string'],
    partitionFields: [5, 'string', 'list'],
    projections: [6, 'Projection', 'list'],
    ackTemplate: [7, 'json'],
    writeSchema: [8, 'json'],
    readSchema: [11, 'json'],
  },
  Projection: {
    ptr: [1, 'string'],
    field: [2, 'string'],
    explicit: [3, 'bool'],
    isPartitionKey: [4, 'bool'],
    isPrimaryKey: [5, 'bool'],
    inference: [6, 'Inference'],
  },
  Inference: {
    types: [1, 'string', 'list'],
    string: [3, 'StringInference'],
    title: [4, 'string'],
    description: [5, 'string'],
    default: [6, 'json'],
    exists: [8, 'Exists'],
  },
  StringInference: {
    contentType: [3, 'string'],
    format: [4, 'string'],
    maxLength: [6, 'uint32'],
    contentEncoding: [7, 'string'],
  },
  MaterializationSpec: {
    name: [1, 'string'],
    connectorType: [2, 'ConnectorType'],
    config: [3, 'json'],
    bindings: [4, 'MaterializationBinding', 'list'],
    linkedCollections: [UNPUBLISHED_TAG, 'CollectionSpec', 'list'],
  },
  MaterializationBinding: {
    resourceConfig: [1, 'json'],
    resourcePath: [2, 'string', 'list'],
    collection: [3, 'CollectionSpec'],
    fieldSelection: [4, 'FieldSelection'],
    deltaUpdates: [5, 'bool'],
    backfill: [12, 'uint32'],
    stateKey: [13, 'string'],
    serPolicy: [14, 'SerPolicy'],
    collectionIndex: [UNPUBLISHED_TAG, 'uint32'],
  },
  FieldSelection: {
    keys: [1, 'string', 'list'],
    values: [2, 'string', 'list'],
    document: [3, 'string'],
    fieldConfig: [4, 'json', 'map'],
  },
  SerPolicy: {
    strTruncateAfter: [1, 'uint32'],
    nestedObjTruncateAfter: [2, 'uint32'],
    arrayTruncateAfter: [3, 'uint32'],
  },
  Checkpoint: { sources: [1, 'CheckpointSource', 'map'] },
  CheckpointSource: { readThrough: [1, 'int64'] },

  Response: {
    spec: [1, 'SpecResponse'],
    validated: [2, 'Validated'],
    applied: [3, 'Applied'],
    opened: [4, 'Opened'],
    flushed: [6, 'Empty'],
    startedCommit: [7, 'Empty'],
    acknowledged: [8, 'Empty'],
  },
  SpecResponse: {
    protocol: [1, 'uint32'],
    configSchema: [2, 'json'],
    resourceConfigSchema: [3, 'json'],
    documentationUrl: [4, 'string'],
  },
  Validated: { bindings: [1, 'ValidatedBinding', 'list'] },
  ValidatedBinding: {
    resourcePath: [2, 'string', 'list'],
    deltaUpdates: [3, 'bool'],
    serPolicy: [4, 'SerPolicy'],
    caseInsensitiveFields: [5, 'bool'],
    projectionConstraints: [6, 'ProjectionConstraint', 'list'],
  },
  ProjectionConstraint: { field: [1, 'string'], constraint: [2, 'Constraint'] },
  Constraint: { type: [2, 'ConstraintType'], reason: [3, 'string'], foldedField: [4, 'string'] },
  Applied: { actionDescription: [1, 'string'] },
  Opened: {},
  Empty: {},
} as const satisfies {
  readonly [message: string]: { readonly [field: string]: readonly [number, string, ('list' | 'map')?] }
}

/** The fields of a message, by name. */
export function fieldsOf(message: MessageName): { readonly [field: string]: FieldSpec } {
  return MESSAGES[message]
}

export function isMessage(type: string): type is MessageName {
  return Object.hasOwn(MESSAGES, type)
}

export function isEnum(type: string): type is EnumName {
  return Object.hasOwn(ENUMS, type)
}

/** The types of values that are neither messages nor enums. */
export function asScalar(type: string): Scalar {
  return type as Scalar // the table above has no other names
}
