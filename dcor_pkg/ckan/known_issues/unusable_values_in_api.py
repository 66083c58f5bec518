"""A value that the database cannot take is called an internal error by the API."""

from __future__ import annotations

from dcor_pkg.ckan.known_issues.issue import Issue, ReplaceText, ReplaceTexts, Versions

FILE = "ckan/views/api.py"
ISSUE = Issue(
    name="unusable_values_in_api",
    symptom="ValueError: A string literal cannot contain NUL (0x00) characters; (psycopg2.errors.NumericValueOutOfRange) "
    "bigint out of range; (psycopg2.ProgrammingError) can't adapt type 'dict'; RecursionError; each with 500",
    cause="Most of CKAN's actions pass a request's values to the database unchecked, and the API answers 500 to every "
    "exception that it does not know, as to JSON that is nested too deeply.",
    versions=Versions("ckan", since="2.11.6"),
    cost="Strangers fill the log with tracebacks, in which an admin does not find a real fault.",
    detection="`except Exception as e` in `action` without a look at the exception, and `except BadRequest` alone, in "
    "ckan/views/api.py",
    cure=ReplaceTexts(
        (
            ReplaceText(
                FILE,
                faulty="        except BadRequest as e:\n            raise ValueError(u'Error decoding JSON data. '\n",
                fixed="        except (BadRequest, RecursionError) as e:\n"
                "            raise ValueError(u'Error decoding JSON data. '\n",
            ),
            ReplaceText(
                FILE,
                faulty="""\
                request_data = json.loads(keys[0])
            except ValueError as e:
""",
                fixed="""\
                request_data = json.loads(keys[0])
            except (ValueError, RecursionError) as e:
""",
            ),
            ReplaceText(
                FILE,
                faulty="""\
    except Exception as e:
        return_dict[u'error'] = {
            u'__type': u'Internal Server Error',
""",
                fixed="""\
    except Exception as e:
        from dcor_runtime import unusable
        if unusable.causes(e):
            log.info(u'Unusable value (Action API): %s', e)
            return _finish_bad_request(
                u'A value in the request cannot be used')
        return_dict[u'error'] = {
            u'__type': u'Internal Server Error',
""",
            ),
        )
    ),
    proof="tests/system/test_known_issues.py: 400 for each of them",
)
