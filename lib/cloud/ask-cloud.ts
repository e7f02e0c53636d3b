import type { Http, HttpRequest, HttpResponse } from '../http.ts';
import type { Kept } from './kept.ts';

/**
 * Asks the API of a cloud with a token that is kept. One that is refused is replaced once.
 * @throws HttpError; the error of asking for a token
 */
export async function askCloud(http: Http, token: Kept<string>, request: HttpRequest): Promise<HttpResponse> {
  const ask = (bearer: string) =>
    http.request({ ...request, headers: { ...request.headers, authorization: `Bearer ${bearer}` } });
  const first = await token();
  const answer = await ask(first);
  return answer.status === 401 ? ask(await token(first)) : answer;
}
