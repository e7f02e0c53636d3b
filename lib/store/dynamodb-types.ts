/** Shapes of DynamoDB's API, as far as they are used. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/ */

/** A value: a text, or a number as a text. */
export type Attribute = { S: string } | { N: string };

/** Values by the names of their attributes. */
export type Attributes = Record<string, Attribute>;

/** A write of a batch. */
export type WriteRequest = { PutRequest: { Item: object } } | { DeleteRequest: { Key: Attributes } };
