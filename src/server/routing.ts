/** An endpoint of the table as a route: its schemas as JSON Schema, which is checked by compiled code and shown in OpenAPI. */
import { Ajv, type AnySchema } from 'ajv';
import type { FastifyInstance, FastifyRequest, FastifySchemaCompiler } from 'fastify';
import { z } from 'zod';
import { parseConfig } from '../config.ts';
import { CourierError } from '../errors.ts';
import { type Endpoint, endpoints, type Scope } from './endpoints.ts';
import { RequestProblem } from './problems.ts';
import { photoCharacters, problemAnswer } from './schemas.ts';

const mebibyte = 1024 * 1024;

/** Bytes of a body, by what it may hold. */
export const bodyLimits = { photo: photoCharacters + mebibyte, other: 4 * mebibyte } as const;

declare module 'fastify' {
  interface FastifyContextConfig {
    endpoint?: Endpoint;
    /** null or left out where no key is asked for. */
    scope?: Scope | null;
  }
}

function jsonSchema(schema: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { target: 'draft-7', io: 'input' });
  return rest;
}

const problem = {
  description: 'It is not answered; `error.code` says why.',
  content: { 'application/json': { schema: jsonSchema(problemAnswer) } },
};

function bodySchema({ body, takesPhoto }: Endpoint) {
  if (body === null) return {};
  if (!takesPhoto) return { body: jsonSchema(body) };
  const json = { 'application/json': { schema: jsonSchema(body) } };
  // Any bytes: they are looked at when they are decoded.
  const photo = { 'image/*': { schema: { contentMediaType: 'application/octet-stream' } } };
  return { body: { content: { ...json, ...photo } } };
}

/** The options of a route. Its handler is the caller's. */
export function routeOf(name: keyof typeof endpoints) {
  const endpoint: Endpoint = endpoints[name];
  const { method, path, scope, summary, params, query, answer } = endpoint;
  return {
    method,
    url: path,
    bodyLimit: name === 'putItem' || endpoint.takesPhoto ? bodyLimits.photo : bodyLimits.other,
    config: { endpoint, scope },
    schema: {
      operationId: name,
      summary,
      ...(scope === null
        ? { security: [] }
        : { description: `Needs a key of the scope \`${scope}\`, where keys are needed.` }),
      ...(params === null ? {} : { params: jsonSchema(params) }),
      ...(query === null ? {} : { querystring: jsonSchema(query) }),
      ...bodySchema(endpoint),
      response: {
        ...(answer === null
          ? { 204: { type: 'null', description: 'Done.' } }
          : {
              200: {
                description: 'The answer.',
                content: { 'application/json': { schema: jsonSchema(answer) } },
              },
            }),
        '4xx': problem,
        '5xx': problem,
      },
    },
  };
}

/** Bodies are taken as they are; what comes in addresses is text, of which numbers are made. */
export function addValidation(app: FastifyInstance): void {
  const [asIs, ofText] = [new Ajv(ajvOptions), new Ajv({ ...ajvOptions, coerceTypes: true })];
  const compile: FastifySchemaCompiler<AnySchema> = ({ schema, httpPart }) =>
    (httpPart === 'body' ? asIs : ofText).compile(schema);
  app.setValidatorCompiler(compile);
}

/** Descriptions of media are for readers. */
const ajvOptions = { strict: false, validateFormats: false } as const;

/** What is wrong with a request that compiled checks refuse, in the words of its schemas. */
export function invalidRequest(
  { body, params, query, routeOptions }: FastifyRequest,
  refusal: string,
): RequestProblem {
  const { endpoint } = routeOptions.config;
  const remedy = 'See /docs for what is taken.';
  try {
    if (endpoint?.params) parseConfig(endpoint.params, params, 'request');
    if (endpoint?.body) parseConfig(endpoint.body, body, 'request');
    if (endpoint?.query) parseConfig(endpoint.query, query, 'request');
  } catch (error) {
    if (error instanceof CourierError) return new RequestProblem('VALUE_INVALID', error.message, remedy);
    throw error;
  }
  return new RequestProblem('VALUE_INVALID', `Invalid request: ${refusal}.`, remedy);
}
