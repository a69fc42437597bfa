"""Every setting, read once and typed. docs/settings.md says what each is for; a test compares."""

from __future__ import annotations

import os
import warnings
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from slixmpp import JID, InvalidJID

from pushprovider.legacy import keys
from upconfig.env import (
    LONGEST_SOCKET_PATH,
    Reader,
    database_config,
    default_folder,
    refuse,
)

BASE_DIR = Path(__file__).resolve().parent.parent
#: Where else the settings may stand. /dev/null: nowhere.
DOTENV = Path(os.environ.get("DOTENV") or BASE_DIR / ".env")
_read = Reader(DOTENV)

# --- Django -------------------------------------------------------------------------------------
SECRET_KEY = _read.text("SECRET_KEY")
SECRET_KEY_FALLBACKS = _read.words("SECRET_KEY_FALLBACKS")
DEBUG = _read.boolean("DEBUG", default=False)
PUBLIC_URL = _read.public_url("PUBLIC_URL")
_public = urlsplit(PUBLIC_URL)
_host = f"[{_public.hostname}]" if ":" in (_public.hostname or "") else _public.hostname
ALLOWED_HOSTS = _read.words("ALLOWED_HOSTS", f"{_host},localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = _read.words("CSRF_TRUSTED_ORIGINS", f"{_public.scheme}://{_public.netloc}")
if len(SECRET_KEY) < 32 or len(set(SECRET_KEY)) < 5:
    refuse("SECRET_KEY is too weak: 32 random characters at least. Endpoints are signed with it.")

# --- The store and the doorbell -----------------------------------------------------------------
DATABASES = {
    "default": database_config(
        _read.text("DATABASE_URL", "")
        or f"sqlite:///{default_folder(BASE_DIR, 'data') / 'pushprovider.sqlite3'}"
    )
}
RUN_DIR = Path(_read.text("RUN_DIR", "") or default_folder(BASE_DIR, "data") / "run")
if len(os.fsencode(RUN_DIR / "doorbell")) > LONGEST_SOCKET_PATH:
    refuse("RUN_DIR is too long: the path of a Unix socket in it may have 107 bytes.")

# --- XMPP ---------------------------------------------------------------------------------------
XMPP_COMPONENT_JID = _read.text("XMPP_COMPONENT_JID").lower()
XMPP_COMPONENT_SECRET = _read.text("XMPP_COMPONENT_SECRET")
XMPP_COMPONENT_HOST = _read.text("XMPP_COMPONENT_HOST", "localhost")
XMPP_COMPONENT_PORT = _read.integer("XMPP_COMPONENT_PORT", 5347, 1, 65535)
XMPP_ADMINS = _read.words("XMPP_ADMINS")
try:
    _jid = JID(XMPP_COMPONENT_JID)
except InvalidJID:
    _jid = JID()
if not _jid.domain or _jid.user or _jid.resource or " " in XMPP_COMPONENT_JID:
    refuse("XMPP_COMPONENT_JID must be a domain such as up.example.org.")
_parent = XMPP_COMPONENT_JID.partition(".")[2] or XMPP_COMPONENT_JID
REGISTRATION_ACL = _read.words("REGISTRATION_ACL", _parent)

# --- Registrations and messages -----------------------------------------------------------------
REGISTRATION_TTL = _read.integer("REGISTRATION_TTL", 2_592_000, 60, 31_536_000 * 10)
MAX_ENDPOINTS_PER_ACCOUNT = _read.integer("MAX_ENDPOINTS_PER_ACCOUNT", 500, 1, 1_000_000)
DEFAULT_TTL = _read.integer("DEFAULT_TTL", 86_400, 0, 2**31)
MAX_TTL = _read.integer("MAX_TTL", 2_592_000, 0, 2**31)
REQUIRE_TTL = _read.boolean("REQUIRE_TTL", default=False)
MAX_STORED_PER_ENDPOINT = _read.integer("MAX_STORED_PER_ENDPOINT", 100, 1, 1_000_000)
MAX_STORED_PER_ACCOUNT = _read.integer("MAX_STORED_PER_ACCOUNT", 1000, 1, 1_000_000)
PUSH_RATE_PER_ENDPOINT = _read.rate("PUSH_RATE_PER_ENDPOINT", "2/s burst 100")
PUSH_RATE_PER_ACCOUNT = _read.rate("PUSH_RATE_PER_ACCOUNT", "10/s burst 500")
ACK_TIMEOUT = _read.integer("ACK_TIMEOUT", 2400, 1, 2_592_000)
MAX_IN_FLIGHT_PER_DEVICE = _read.integer("MAX_IN_FLIGHT_PER_DEVICE", 16, 1, 400)
MESSAGE_LOG_HOURS = _read.integer("MESSAGE_LOG_HOURS", 48, 0, 24 * 365)
STATS_DAYS = _read.integer("STATS_DAYS", 400, 1, 36_500)
METRICS_TOKEN = _read.text("METRICS_TOKEN", "")

# --- Endpoints issued by the modules this one replaces ------------------------------------------
LEGACY_UP_SECRETS = _read.words("LEGACY_UP_SECRETS")
LEGACY_PROSODY_PASETO_KEYS = _read.words("LEGACY_PROSODY_PASETO_KEYS")
LEGACY_PROSODY_JWT_SECRETS = _read.words("LEGACY_PROSODY_JWT_SECRETS")
LEGACY_EJABBERD_KEYS = _read.words("LEGACY_EJABBERD_KEYS")
LEGACY_UNTIL = _read.date("LEGACY_UNTIL")
for _name in keys.READERS:
    try:
        keys.read(_name, tuple(globals()[_name]))
    except keys.WrongKey as _wrong:
        refuse(f"{_name}: {_wrong}")

#: The names of all settings above, in reading order.
DOCUMENTED: tuple[str, ...] = tuple(_read.names)

# --- What follows is not for operators ----------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "axes",
    "pushprovider",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "pushprovider.http.csp.content_security_policy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
# Guessing passwords is slow for everybody: by the name that is tried, not by the address, which
# behind a reverse proxy is the proxy's own or whatever a client says.
AXES_LOCKOUT_PARAMETERS = ["username"]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=10)
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
AXES_LOCKOUT_TEMPLATE = "admin/locked.html"
SILENCED_SYSTEM_CHECKS = ["axes.W006"]  # it wants the address
ROOT_URLCONF = "upconfig.urls"
ASGI_APPLICATION = "upconfig.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = default_folder(BASE_DIR, "data/static")
STATICFILES_DIRS = [BASE_DIR / "static"]
# No collectstatic step is needed to see the admin: so the folder it would fill may be missing.
WHITENOISE_USE_FINDERS = True
warnings.filterwarnings("ignore", "No directory at", UserWarning)
WHITENOISE_AUTOREFRESH = False

_secure = _public.scheme == "https"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _secure
SESSION_COOKIE_AGE = 7 * 86_400
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"redact": {"()": "pushprovider.http.redact.RedactTokens"}},
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["redact"],
        }
    },
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "uvicorn.access": {"filters": ["redact"]},
        "axes": {"level": "WARNING"},
        # A foreign Host header is anybody's doing: the answer 400 is enough.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        # So is any other 4xx. What is answered 500 is logged.
        "django.request": {"level": "ERROR"},
        "django.security": {"level": "ERROR"},
        # slixmpp writes whole stanzas, payloads included, at DEBUG, and what it
        # cannot parse at ERROR. What an operator must know of the stream we say ourselves.
        "slixmpp": {"level": "CRITICAL"},
    },
}
