"""The German texts of what each release is cured of, by the names of the issues; the English ones are theirs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class German:
    """Cause, cost, and how it is found."""

    cause: str
    cost: str
    found: str


GERMAN = {
    "float_expiry": German(
        "dcor_shared.s3.create_time gibt eine Kommazahl zurück, also ist auch die Gültigkeit einer signierten Adresse "
        "eine; Signature Version 4 nimmt nur ganze Sekunden.",
        "Keine private Messung lässt sich herunterladen oder öffnen.",
        "`return time.time()` in dcor_shared/s3.py",
    ),
    "own_certificate": German(
        "Die Programme eines Release fragen den Objektspeicher über https und vertrauen nur den Zertifizierungsstellen "
        "in der Datei von certifi; AWS_CA_BUNDLE wird mit `dcor_object_store.ssl_verify = true` nicht beachtet.",
        "Mit einem selbstsignierten Zertifikat erreicht CKAN den Objektspeicher nicht; niemand kann hochladen.",
        "certifi/cacert.pem ist kein Link auf das Zertifikatsbündel des Servers",
    ),
    "percent_in_database_url": German(
        "CKAN gibt die Adresse der Datenbank unverändert an alembic weiter, das ein % (in einem umschriebenen Passwort) "
        "als Anfang von %(NAME)s liest.",
        "`ckan db` und Migrationen scheitern, wo das Passwort einer externen Datenbank umschrieben werden muss.",
        '`"sqlalchemy.url", config.get("sqlalchemy.url")` ohne `.replace` in ckan/model/__init__.py',
    ),
    "anonymous_user": German(
        "is_authorized lehnt ab, wenn `auth_user_obj` leer ist; für Besucher steht dort aber ein AnonymousUser.",
        "Prüfungen, die sich auf CKAN verlassen, laufen auch für Fremde, mit zufälligem Ergebnis.",
        "`and not context.get('auth_user_obj')` in is_authorized, ckan/authz.py",
    ),
    "uploads_without_login": German(
        "Die Aktion resource_upload_s3_urls ruft check_access nicht auf, also prüft niemand, wer fragt und wie groß die "
        "Datei ist.",
        "Fremde können die Platte füllen und Buckets für Kreise anlegen lassen, die es nicht gibt.",
        "get_resource_upload_s3_urls in ckanext/dcor_schemas/actions.py ohne check_access",
    ),
    "password_reset_answers": German(
        "RequestResetView zeigt Fehler des Mailversands, der nur für vorhandene Konten geschieht; PerformResetView "
        "erwartet für unbekannte Namen eine andere Ausnahme, als ckanext-dcor_schemas meldet.",
        "Fremde finden heraus, wer ein Konto hat.",
        "flash_error bei MailerException und `except logic.NotFound` in ckan/views/user.py",
    ),
    "mail_in_request": German(
        "CKAN spricht mit dem Mailserver, während die Anfrage wartet, und smtplib hat keine Zeitgrenze; ohne Relay fehlt "
        "außerdem der Absender. Der Link wird nun von einem Job verschickt.",
        "Ein Mailserver, der nichts sagt, hält mit jeder Anfrage einen Prozess fest, bis niemand mehr antwortet.",
        "`smtplib.SMTP(host, port)` ohne timeout und mail_user in send_reset_link, in ckan/lib/mailer.py",
    ),
    "mail_at_registration": German(
        "ckanext-dcor_schemas schreibt dem Betreuer eine Mail, während die Anfrage wartet, die ein Konto anlegt.",
        "Antwortet der Mailserver nicht, kann sich niemand registrieren, und jeder Versuch hält einen Prozess fest.",
        "mailer.mail_recipient wird in ckanext/dcor_schemas/signals.py unmittelbar aufgerufen",
    ),
    "reset_links_for_ever": German(
        "CKAN speichert den Schlüssel des Links ohne den Zeitpunkt, zu dem er entstand, und vergleicht ihn nur. Die "
        "neuen Schlüssel sagen, wann sie enden (dcor_runtime.reset_key); andere gelten als abgelaufen.",
        "Wer einen unbenutzten Link findet, in einem Postfach oder einer Sicherung der Datenbank, übernimmt das Konto.",
        "make_key und verify_reset_link in ckan/lib/mailer.py, ohne dcor_runtime.reset_key",
    ),
    "reset_key_in_api": German(
        "Die Rechteprüfung von user_update vergleicht den Schlüssel selbst. Nur die Seite des Links, die im Kontext "
        "`reset_password` setzt, macht ihn danach ungültig.",
        "Ein benutzter oder abgelaufener Link setzt weiterhin Passwort und Mailadresse.",
        "`user_obj.reset_key == data_dict['reset_key']` in ckan/logic/auth/update.py",
    ),
    "unusable_values_in_api": German(
        "CKANs Aktionen reichen Werte ungeprüft an die Datenbank weiter, und die API antwortet auf jede unbekannte "
        "Ausnahme mit 500.",
        "Fremde füllen das Log mit Tracebacks, zwischen denen ein echter Fehler nicht auffällt.",
        "`except Exception as e` in `action` ohne Blick auf die Ausnahme, in ckan/views/api.py",
    ),
    "unusable_values_in_pages": German(
        "CKANs Seiten reichen Werte ungeprüft an die Datenbank weiter, und ihre Fehlerbehandlung antwortet auf jede "
        "Ausnahme, die nicht von HTTP handelt, mit 500.",
        "Fremde füllen das Log mit Tracebacks, zwischen denen ein echter Fehler nicht auffällt.",
        "error_handler in ckan/config/middleware/flask_app.py beginnt mit isinstance(e, HTTPException)",
    ),
    "page_numbers": German(
        "CKAN reicht jede Seitennummer weiter; Solr zählt Zeilen mit 32 Bit.",
        "Fremde füllen das Log mit Tracebacks, zwischen denen ein echter Fehler nicht auffällt.",
        "`if p < 1` in get_page_number, ckan/lib/helpers.py",
    ),
    "control_characters_in_feeds": German(
        "Zeichen, die XML nicht enthalten darf, entfernt CKAN nur aus Beschreibungen, nicht aus Titeln und Suchtexten.",
        "Ein Datensatz mit einem solchen Titel legt alle Feeds lahm, in denen er vorkommt.",
        "`title=pkg.get(u'title', u'')` in output_feed, ckan/views/feed.py",
    ),
    "download_without_address": German(
        "CKAN fragt, ob eine Ressource den Schlüssel `url` hat; den hat sie immer, er ist bis zu DCORs Job nur leer.",
        "Benutzer sehen einen internen Fehler statt 'No download is available'.",
        "`elif u'url' not in rsc` in ckan/views/resource.py",
    ),
    "named_download_without_address": German(
        "ckanext-dc_serve leitet zur `url` einer Ressource weiter, auch wenn sie leer ist.",
        "Benutzer sehen einen internen Fehler statt 'Resource not found'.",
        '`return toolkit.redirect_to(res_dict["url"])` ohne Prüfung in ckanext/dc_serve/route_funcs.py',
    ),
    "slow_logs": German(
        "dclab macht aus einem HDF5-Datensatz eine Liste, indem es jede Zeile einzeln liest.",
        "Wenige Anfragen nach einer Datei mit langem Log halten alle Prozesse für Minuten fest.",
        '`list(self.h5file["logs"][key])` in dclab/rtdc_dataset/fmt_hdf5/logs.py',
    ),
    "logs_in_each_query": German(
        "ckanext-dc_serve liest für jede Abfrage alle Logs und Tabellen einer Datei und behält die von 512 Dateien im "
        "Speicher. Nun werden sie gelesen, wenn jemand nach ihnen fragt, bis 32 MiB.",
        "Wenige Anfragen nach einer Datei mit langen Logs brauchen alle Prozesse oder den ganzen Speicher auf.",
        '`r_data["logs"] = get_dc_logs` in get_resource_kernel_base, ckanext/dc_serve/serve.py',
    ),
    "long_texts": German(
        "Solrs Index nimmt Wörter bis 32.766 Byte, und Titel, Autoren, DOI und Literatur sind je ein Wort; "
        "ckanext-dcor_schemas begrenzt ihre Länge nicht.",
        "Benutzer sehen einen internen Fehler in Solrs Worten und nicht, was an ihrem Datensatz falsch ist.",
        "_modify_package_schema in ckanext/dcor_schemas/plugin.py prüft keine Länge",
    ),
    "many_labels": German(
        "Eine Suche fragt nach einem Etikett für jeden geteilten Datensatz; CKAN verbindet sie mit OR, wovon Solr 1.024 "
        "nimmt. Nun wird Solrs terms-Abfrage benutzt.",
        "Benutzer mit mehr als etwa 1.000 geteilten Datensätzen können nicht suchen.",
        "`' OR '.join` über permission_labels in ckan/lib/search/query.py",
    ),
    "readable_after_withdrawal": German(
        "ckanext-dcor_schemas gibt Objekten das Etikett public=true, bevor die Datenbank das Veröffentlichen festhält, "
        "und nimmt es nie zurück.",
        "Was versehentlich veröffentlicht wurde, bleibt für alle lesbar, die die Adresse haben.",
        "make_resource_public in after_dataset_update und get_actions, in ckanext/dcor_schemas/plugin.py",
    ),
    "tags_after_withdrawal": German(
        "make_resource_public veröffentlicht, was man ihm nennt: Jobs und die nächtlichen Läufe tun das auch für "
        "gelöschte Datensätze und Entwürfe.",
        "Was zurückgenommen wurde, wird von Neuem veröffentlicht.",
        "make_object_public in make_resource_public und `private=private` in upload_artifact, in dcor_shared/s3cc.py",
    ),
    "delete_without_action": German(
        "Der Befehl ändert den Datensatz in der Datenbank, ohne dass ein Plugin davon erfährt.",
        "Was ein Admin mit CKANs Befehl löscht, bleibt bis zur nächsten Nacht lesbar.",
        "`dataset.delete()` in ckan/cli/dataset.py",
    ),
    "deletes_for_any_database": German(
        "dcor-prune-orphaned-s3-artifacts löscht, was die benutzte Datenbank nicht kennt, auch wenn die Objekte zu einer "
        "anderen gehören; die Tests des Handbuchs rufen es auf.",
        "Wer testet, wie es im Handbuch steht, löscht alle Messungen.",
        "boto3.Session in get_s3 in dcor_shared/s3.py ohne dcor_runtime.own_store",
    ),
    "links_for_a_day": German(
        "ckanext-dc_serve leitet zu signierten Adressen weiter, die 86400 s gelten, wer auch immer dann lesen darf.",
        "Was zurückgenommen wurde, bleibt noch einen Tag lesbar für alle, die einem Link darauf gefolgt sind.",
        "`expiration = 86400` in ckanext/dc_serve/route_funcs.py",
    ),
    "preview_links_for_a_day": German(
        "ckanext-dc_view leitet zu signierten Adressen der Vorschau weiter, die 86400 s gelten.",
        "Eine zurückgenommene Vorschau bleibt noch einen Tag sichtbar für alle, die einem Link darauf gefolgt sind.",
        "`expiration = 86400` in ckanext/dc_view/route_funcs.py",
    ),
    "public_logs": German(
        "dcor inspect erwartet, dass alle Benutzer das Verzeichnis von CKANs Logs lesen können.",
        "Jeder Benutzer der Maschine liest, was andere getan haben, und die Daten in Tracebacks.",
        'path="/var/log/ckan" mit mode_dir=0o755 in dcor_control/cli/inspect.py',
    ),
    "assets_at_once": German(
        "webassets entfernt einen Eintrag seines Zwischenspeichers, bevor es den neuen einsetzt; zwei Prozesse, die "
        "beide den alten sehen, stören einander.",
        "Hin und wieder scheitert während eines Upgrades eine Anfrage.",
        "`os.unlink(filename)` in FilesystemCache.set, in webassets/cache.py",
    ),
}
