"""Session tokens: ours, those of others who hold the secret, and forgeries."""

from __future__ import annotations

import base64
import json
import time

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playhead.errors import Unauthorized
from sessions import Claims, Tokens
from sessions.ids import MAX_ID

SECRET = "a secret of at least thirty-two bytes, really"
NOW = 1_700_000_000_123
GOOD = {"sid": "5", "pid": 1, "iat": 1_700_000_000, "exp": 1_700_007_200}


def clock() -> int:
    return NOW


def tokens(*secrets: str) -> Tokens:
    return Tokens(secrets or (SECRET,), clock)


def signed(claims: object, secret: str = SECRET, algorithm: str = "HS256") -> str:
    return jwt.PyJWS().encode(json.dumps(claims).encode(), secret, algorithm=algorithm)


def test_what_is_signed_is_read_back():
    token = tokens().sign(MAX_ID, 7, lifetime_ms=7_200_000, user_uuid="u-1", platform="ios", record=False)
    assert tokens().verify(token) == Claims(
        session_id=MAX_ID,  # type: ignore[arg-type]
        project_id=7,
        issued_ms=1_700_000_000_000,
        expires_ms=1_700_007_201_000,
        user_uuid="u-1",
        platform="ios",
        record=False,
    )


def test_the_claims_on_the_wire():
    token = tokens().sign(5, 7, lifetime_ms=1000, now_ms=1_000_000)
    claims = jwt.decode(token, SECRET, algorithms=["HS256"], options={"verify_exp": False})
    assert claims == {"sid": "5", "pid": 7, "iat": 1000, "exp": 1001, "uid": "", "plt": ""}


def test_a_timed_out_token_verifies_and_says_so():
    claims = tokens().verify(tokens().sign(5, 7, lifetime_ms=1000, now_ms=NOW - 10_000))
    assert claims.expired(NOW)
    assert not claims.expired(NOW - 9_500)


def test_the_first_secret_signs_and_all_verify():
    old, both, new = tokens("old" * 12), tokens("new" * 12, "old" * 12), tokens("new" * 12)
    assert both.verify(old.sign(5, 7, lifetime_ms=1000)).session_id == 5
    assert new.verify(both.sign(6, 7, lifetime_ms=1000)).session_id == 6
    with pytest.raises(Unauthorized):
        old.verify(both.sign(5, 7, lifetime_ms=1000))


@pytest.mark.filterwarnings("error")
def test_a_short_secret_works_without_noise():
    assert tokens("s").verify(tokens("s").sign(5, 7, lifetime_ms=1000)).session_id == 5


def test_no_secret_is_no_service():
    with pytest.raises(ValueError):
        tokens("", "")


@pytest.mark.parametrize(
    ("claims", "issued_ms", "expires_ms"),
    [
        (GOOD, 1_700_000_000_000, 1_700_007_200_000),
        (GOOD | {"iat": 1_700_000_000.5, "exp": 1_700_007_200.25}, 1_700_000_000_500, 1_700_007_200_250),
        (GOOD | {"pid": "1", "sid": 5}, 1_700_000_000_000, 1_700_007_200_000),
        (GOOD | {"iat": 99_999_999_999, "nbf": 99_999_999_999}, 99_999_999_999_000, 1_700_007_200_000),
        (GOOD | {"aud": "x", "iss": "y", "sub": 5, "jti": 6, "uid": 7}, 1_700_000_000_000, 1_700_007_200_000),
    ],
)
def test_others_may_sign_with_the_secret(claims: dict[str, object], issued_ms: int, expires_ms: int):
    read = tokens().verify(signed(claims))
    assert (read.session_id, read.project_id, read.record) == (5, 1, True)
    assert (read.issued_ms, read.expires_ms) == (issued_ms, expires_ms)
    assert (read.user_uuid, read.platform) == ("", "")


def without(name: str) -> dict[str, object]:
    return {key: value for key, value in GOOD.items() if key != name}


@pytest.mark.parametrize(
    "claims",
    [
        without("sid"),
        without("pid"),
        without("iat"),
        without("exp"),
        GOOD | {"sid": ""},
        GOOD | {"sid": "0"},
        GOOD | {"sid": "-5"},
        GOOD | {"sid": "5x"},
        GOOD | {"sid": "٥"},
        GOOD | {"sid": str(MAX_ID + 1)},
        GOOD | {"sid": "9" * 10_000},
        GOOD | {"sid": None},
        GOOD | {"sid": True},
        GOOD | {"pid": 0},
        GOOD | {"pid": 2**31},
        GOOD | {"pid": 1.5},
        GOOD | {"exp": "1700007200"},
        GOOD | {"exp": True},
        GOOD | {"exp": None},
        GOOD | {"exp": float("inf")},
        GOOD | {"iat": float("nan")},
        [],
        "text",
        None,
    ],
)
def test_a_signed_token_without_usable_claims_is_refused(claims: object):
    with pytest.raises(Unauthorized):
        tokens().verify(signed(claims))


def forgeries() -> dict[str, str]:
    good = signed(GOOD)
    head, body, signature = good.split(".")

    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return {
        "empty": "",
        "no dots": "x",
        "dots": "..",
        "another secret": signed(GOOD, "another secret of at least thirty-two bytes"),
        "HS512": signed(GOOD, SECRET + SECRET, "HS512"),
        "HS384 with our secret": signed(GOOD, SECRET + SECRET[:10], "HS384"),
        "none": f"{part({'alg': 'none', 'typ': 'JWT'})}.{body}.",
        "none with a signature": f"{part({'alg': 'none'})}.{body}.{signature}",
        "RS256": f"{part({'alg': 'RS256'})}.{body}.{signature}",
        "no alg": f"{part({'typ': 'JWT'})}.{body}.{signature}",
        "other claims": f"{head}.{part(GOOD | {'pid': 2})}.{signature}",
        "no signature": f"{head}.{body}.",
        "cut signature": good[:-4],
        "more": good + ".x",
        "detached": f"{part({'alg': 'HS256', 'b64': False, 'crit': ['b64']})}..{signature}",
        "critical extension": f"{part({'alg': 'HS256', 'crit': ['x'], 'x': 1})}.{body}.{signature}",
        "not ASCII": good + "é",
        "surrogate": good + "\udc80",
        "NUL": good + "\0",
        "old OpenReplay": "4f1a.0.k8s.2VfUX5fG",
        "too long": signed(GOOD | {"x": "y" * 5000}),
    }


@pytest.mark.parametrize("name", forgeries())
def test_forgeries_are_refused(name: str):
    with pytest.raises(Unauthorized):
        tokens().verify(forgeries()[name])


@given(st.text(max_size=200))
def test_any_text_is_refused_and_nothing_else_is_raised(text: str):
    with pytest.raises(Unauthorized):
        tokens().verify(text)


@given(st.integers(0, 300), st.characters(codec="ascii"))
def test_a_changed_character_is_refused(place: int, character: str):
    token = tokens().sign(5, 7, lifetime_ms=1000, user_uuid="u")
    place %= len(token)
    forged = token[:place] + character + token[place + 1 :]
    try:
        claims = tokens().verify(forged)
    except Unauthorized:
        return
    # base64 without padding leaves spare bits in a last character
    assert claims == tokens().verify(token)


def test_known_tokens_are_remembered_within_bounds():
    service = Tokens([SECRET], clock, entries=2)
    made = [service.sign(number, 1, lifetime_ms=1000) for number in (1, 2, 3)]
    for token in made:
        service.verify(token)
    assert len(service._claims) == 2
    began = time.perf_counter()
    for _ in range(1000):
        service.verify(made[2])
    assert time.perf_counter() - began < 0.5


def test_bad_tokens_are_not_remembered():
    service = tokens()
    for _ in range(3):
        with pytest.raises(Unauthorized):
            service.verify("x.y.z")
    assert len(service._claims) == 0
