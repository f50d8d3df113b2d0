import { Type } from 'typebox'
import type { SortOrder } from '../../core/ports/stores.ts'

/** `sort_by` of admin lists; the Node SDK's types also know the camel-case names. */
export const SortBy = Type.Optional(
  Type.Union([
    Type.Literal('created_at'),
    Type.Literal('updated_at'),
    Type.Literal('createdAt'),
    Type.Literal('updatedAt'),
  ]),
)

/** `order_by` of admin lists. */
export const OrderBy = Type.Optional(Type.Union([Type.Literal('asc'), Type.Literal('desc')]))

/** Reads the order of an admin list: newest first when left out. */
export function readSortOrder(query: { sort_by?: string; order_by?: 'asc' | 'desc' }): SortOrder {
  const isUpdated = query.sort_by === 'updated_at' || query.sort_by === 'updatedAt'
  return { by: isUpdated ? 'updated_at' : 'created_at', order: query.order_by ?? 'desc' }
}
