import { describe, expect, it } from 'vitest';
import { adviceFor, ApiError, errorFromAnswer, isTransient, toApiError } from './errors';
import { bytesOfBase64, reconnectWait } from './streams';

describe('errors of the API', () => {
  it('carry code, field and message', () => {
    const error = errorFromAnswer(400, '{"error":{"code":"INVALID_ARGUMENT","field":"rule.recipe.dockerfile_path","message":"path leaves the repository"}}');
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', field: 'rule.recipe.dockerfile_path', message: 'path leaves the repository' });
  });
  it('find the field in the message when the backend left it there', () => {
    expect(errorFromAnswer(400, '{"error":{"code":"INVALID_ARGUMENT","message":"tag_templates[0]: unknown placeholder"}}')).toMatchObject({ field: 'tag_templates[0]', message: 'unknown placeholder' });
  });
  it('do not take other text before a colon for a field', () => {
    expect(errorFromAnswer(404, '{"error":{"code":"NOT_FOUND","message":"repository: gone"}}')).toMatchObject({ field: '', message: 'repository: gone' });
    expect(errorFromAnswer(400, '{"error":{"code":"INVALID_ARGUMENT","message":"Not a field: x"}}').field).toBe('');
  });
  it('are made of whatever a proxy answered', () => {
    expect(errorFromAnswer(503, '<html>busy</html>')).toMatchObject({ code: 'UNAVAILABLE', httpStatus: 503 });
    expect(errorFromAnswer(418, '').code).toBe('UNEXPECTED');
    expect(errorFromAnswer(500, '{"error":"text"}').message).toContain('500');
  });
  it('know a server that does not answer', () => {
    expect(toApiError(new TypeError('Failed to fetch')).code).toBe('NETWORK');
    expect(toApiError(new ApiError('ABORTED', 'x')).code).toBe('ABORTED');
    expect(toApiError('odd').code).toBe('UNEXPECTED');
  });
  it('always say what to do', () => {
    for (const code of ['NETWORK', 'UNAVAILABLE', 'NOT_FOUND', 'PERMISSION_DENIED', 'ABORTED', 'INTERNAL', 'SOMETHING_NEW']) expect(adviceFor(code).length).toBeGreaterThan(10);
    expect([isTransient('UNAVAILABLE'), isTransient('NOT_FOUND')]).toEqual([true, false]);
  });
});

describe('streams', () => {
  it('wait longer and longer before they reconnect, but not for ever', () => {
    expect([0, 1, 2, 20].map((attempt) => reconnectWait(attempt, () => 0))).toEqual([500, 1000, 2000, 15_000]);
    expect(reconnectWait(1, () => 1)).toBe(750);
  });
  it('decode base64 to bytes', () => {
    expect([...bytesOfBase64('AP/+')]).toEqual([0, 255, 254]);
    expect([...bytesOfBase64('AP_-')]).toEqual([0, 255, 254]);
  });
});
